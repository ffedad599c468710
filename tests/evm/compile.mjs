// Standard JSON in, standard JSON out: solc as a process that answers once.
//
//   {"package": "solc", "input": {…}}  ->  {"output": {…}, "names": {"InvalidProof()": "09bde339…", …}}
//
// `names` holds the Keccak-256 of every function's, error's and event's signature, which solc gives for functions only.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const { keccak256 } = require("js-sha3");

const type_of = ({ type, components }) =>
    components ? type.replace("tuple", `(${components.map(type_of).join(",")})`) : type;
const signature = ({ name, inputs }) => `${name}(${inputs.map(type_of).join(",")})`;

const { package: name, input } = JSON.parse(readFileSync(0, "utf8"));
const output = JSON.parse(require(name).compile(JSON.stringify(input)));
const names = {};
for (const file of Object.values(output.contracts ?? {}))
    for (const contract of Object.values(file))
        for (const item of contract.abi)
            if (["function", "error", "event"].includes(item.type)) names[signature(item)] = keccak256(signature(item));
process.stdout.write(JSON.stringify({ output, names }));
