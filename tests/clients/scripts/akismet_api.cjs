// npm akismet-api, which is in Coral: led here by its settings `host` and `protocol`.
require("./local_names.cjs");
const { readFileSync } = require("node:fs");
const { AkismetClient } = require("akismet-api");

const given = JSON.parse(readFileSync(0, "utf-8"));
const client = new AkismetClient({
  key: given.key,
  blog: given.blog,
  host: `localhost:${given.port}`,
  protocol: "http",
});

async function tell(name, fields) {
  try {
    const value = await client[name](...(name === "verifyKey" ? [] : [fields]));
    return { value: value && value.text !== undefined ? value.text : value };
  } catch (error) {
    return { error: error.name, text: error.message };
  }
}

(async () => {
  const found = [];
  for (const [name, fields] of given.calls) found.push(await tell(name, fields));
  console.log(JSON.stringify(found));
})();
