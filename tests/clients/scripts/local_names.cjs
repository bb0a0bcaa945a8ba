// Let every name below localhost mean this machine, as a DNS entry would: some clients put the key there.
const dns = require("node:dns");

const ask = dns.lookup;
dns.lookup = (host, ...rest) => ask(host.endsWith(".localhost") ? "127.0.0.1" : host, ...rest);
