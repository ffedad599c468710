// One node process for many calls of the reference implementations: JSON lines in, JSON lines out.
//
//   {"call": "prove", "arguments": {…}}  ->  {"result": …} or {"error": "…"}
//
// Starting node and instantiating snarkjs' curves takes longer than most calls, so the process stays. It ends
// when its standard input does, and stops snarkjs' worker threads.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import ejs from "ejs";
import { buildEddsa, buildPoseidon } from "circomlibjs";
import * as snarkjs from "snarkjs";

const ENTROPY = "a test's entropy, known to everyone";
// What takes long to build is built once. snarkjs keeps its curves, with their worker threads, in globals.
const once = (build) => {
    let built;
    return () => (built ??= build());
};
const poseidon = once(buildPoseidon);
const eddsa = once(buildEddsa);

// Big integers leave as decimal text, snarkjs' own habit.
const decimal = (value) => JSON.parse(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? v.toString() : v)));

const calls = {
    async witness({ inputs, wasm, wtns }) {
        await snarkjs.wtns.calculate(inputs, wasm, wtns);
    },

    async powers_of_tau({ curve: name, power, folder, ptau }) {
        const [fresh, contributed] = ["0000.ptau", "0001.ptau"].map((file) => `${folder}/${file}`);
        await snarkjs.powersOfTau.newAccumulator(await snarkjs.curves.getCurveFromName(name), power, fresh);
        await snarkjs.powersOfTau.contribute(fresh, contributed, "test", ENTROPY);
        await snarkjs.powersOfTau.preparePhase2(contributed, ptau);
    },

    async setup({ r1cs, ptau, folder, zkey }) {
        const fresh = `${folder}/0000.zkey`;
        const complaints = [];
        const logger = { info() {}, debug() {}, error: (message) => complaints.push(message) };
        if ((await snarkjs.zKey.newZKey(r1cs, ptau, fresh, logger)) === -1) throw new Error(complaints.join("; "));
        await snarkjs.zKey.contribute(fresh, zkey, "test", ENTROPY);
    },

    async verifying_key({ zkey }) {
        return snarkjs.zKey.exportVerificationKey(zkey);
    },

    // What snarkjs.zKey.exportSolidityVerifier does after reading the key from a .zkey.
    async solidity_verifier({ verifying_key }) {
        const template = readFileSync("node_modules/snarkjs/templates/verifier_groth16.sol.ejs", "utf8");
        return ejs.render(template, verifying_key);
    },

    async prove({ zkey, wtns }) {
        const { proof, publicSignals } = await snarkjs.groth16.prove(zkey, wtns);
        return { proof, public_inputs: publicSignals };
    },

    async verify({ verifying_key, public_inputs, proof }) {
        return snarkjs.groth16.verify(verifying_key, public_inputs, proof);
    },

    async poseidon({ inputs }) {
        const hash = await poseidon();
        return hash.F.toString(hash(inputs));
    },

    async eddsa_sign({ secret, message }) {
        const scheme = await eddsa();
        const key = Buffer.from(secret, "hex");
        const { R8, S } = scheme.signPoseidon(key, scheme.F.e(message));
        const point = (p) => p.map((c) => scheme.F.toString(c));
        return { key: point(scheme.prv2pub(key)), r: point(R8), s: S.toString() };
    },

    async eddsa_verify({ key, message, r, s }) {
        const scheme = await eddsa();
        const point = (p) => p.map((c) => scheme.F.e(c));
        return scheme.verifyPoseidon(scheme.F.e(message), { R8: point(r), S: BigInt(s) }, point(key));
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const { call, arguments: given } = JSON.parse(line);
    let answer;
    try {
        answer = { result: decimal((await calls[call](given)) ?? null) };
    } catch (error) {
        answer = { error: String(error?.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await globalThis.curve_bn128?.terminate();
await globalThis.curve_bls12381?.terminate();
