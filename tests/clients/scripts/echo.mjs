// Ask an address and tell what came, with the word that was given.
import { readFileSync } from "node:fs";

const given = JSON.parse(readFileSync(0, "utf-8"));
const answer = await fetch(given.url + "/healthz");
console.log(JSON.stringify({ status: answer.status, word: given.word }));
