// npm openai: led here by its setting baseURL.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const given = JSON.parse(readFileSync(0, "utf-8"));
const client = new OpenAI({ apiKey: given.key, baseURL: `${given.url}/v1`, maxRetries: 0 });
const found = [];
for (const [, fields] of given.calls) {
  try {
    const answer = await client.moderations.create(fields);
    found.push({ value: JSON.parse(JSON.stringify(answer)) });
  } catch (error) {
    found.push({ error: error.constructor.name, text: error.message, status: error.status, code: error.code });
  }
}
console.log(JSON.stringify(found));
