// npm akismet: led here by its settings `host` and `port`.
require("./local_names.cjs");
const { readFileSync } = require("node:fs");
const akismet = require("akismet");

const given = JSON.parse(readFileSync(0, "utf-8"));
const client = akismet.client({ apiKey: given.key, blog: given.blog, host: "localhost", port: given.port });

function tell(name, fields) {
  return new Promise((done) => {
    const answered = (error, value) => done(error ? { error: String(error) } : { value: value ?? null });
    client[name](...(name === "verifyKey" ? [answered] : [fields, answered]));
  });
}

(async () => {
  const found = [];
  for (const [name, fields] of given.calls) found.push(await tell(name, fields));
  console.log(JSON.stringify(found));
})();
