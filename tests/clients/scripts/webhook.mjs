// Verify one request as a receiver would: its type, or the error's name.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const given = JSON.parse(readFileSync(0, "utf-8"));
let told;
try {
  told = new Webhook(given.secret).verify(given.body, given.headers).type;
} catch (error) {
  told = error.constructor.name;
}
console.log(JSON.stringify(told));
