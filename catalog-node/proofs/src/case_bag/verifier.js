"use strict";
// Checks the proofs that lie in this page: with nothing but this page. Plain SHA-256, because a page
// that is opened from a disk has no WebCrypto everywhere; the signature of a head is checked where it
// has. Everything here works on the values of the page and changes none of them.
const Verifier = (() => {
  const K = [];
  const START = [];
  // The constants of FIPS 180-4 are the first bits of the roots of primes: counted, not copied.
  for (let n = 2; K.length < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) prime = prime && n % d !== 0;
    if (!prime) continue;
    const bits = (x) => Math.floor((x - Math.floor(x)) * 4294967296) >>> 0;
    if (START.length < 8) START.push(bits(Math.sqrt(n)));
    K.push(bits(Math.cbrt(n)));
  }

  function sha256(bytes) {
    const length = bytes.length;
    const padded = new Uint8Array(((length + 8 >> 6) + 1) * 64);
    padded.set(bytes);
    padded[length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(length / 0x20000000));
    view.setUint32(padded.length - 4, length << 3 >>> 0);
    const hash = START.slice();
    const words = new Uint32Array(64);
    const turn = (x, n) => x >>> n | x << 32 - n;
    for (let block = 0; block < padded.length; block += 64) {
      for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(block + 4 * i);
      for (let i = 16; i < 64; i += 1) {
        const a = words[i - 15];
        const b = words[i - 2];
        const s0 = turn(a, 7) ^ turn(a, 18) ^ a >>> 3;
        const s1 = turn(b, 17) ^ turn(b, 19) ^ b >>> 10;
        words[i] = words[i - 16] + s0 + words[i - 7] + s1 | 0;
      }
      let [a, b, c, d, e, f, g, h] = hash;
      for (let i = 0; i < 64; i += 1) {
        const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
        const t1 = h + s1 + (e & f ^ ~e & g) + K[i] + words[i] | 0;
        const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
        const t2 = s0 + (a & b ^ a & c ^ b & c) | 0;
        [h, g, f, e, d, c, b, a] = [g, f, e, d + t1 | 0, c, b, a, t1 + t2 | 0];
      }
      [a, b, c, d, e, f, g, h].forEach((x, i) => { hash[i] = hash[i] + x | 0; });
    }
    const out = new Uint8Array(32);
    hash.forEach((word, i) => new DataView(out.buffer).setUint32(4 * i, word >>> 0));
    return out;
  }

  function bytesOf(base64) {
    const text = atob(base64);
    return Uint8Array.from(text, (c) => c.charCodeAt(0));
  }

  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");

  function join(...parts) {
    const all = parts.map((part) => typeof part === "string" ? new TextEncoder().encode(part) : part);
    const out = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of all) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  const leafHash = (record) => sha256(join(Uint8Array.of(0), record));
  const nodeHash = (left, right) => sha256(join(Uint8Array.of(1), left, right));

  // RFC 9162 section 2.1.3.2; null where no tree could have this path.
  function rootOfPath(leaf, index, size, path) {
    if (!(index < size)) return null;
    let node = index;
    let last = size - 1;
    let hash = leaf;
    for (const sibling of path) {
      if (last === 0) return null;
      if (node % 2 === 1 || node === last) {
        hash = nodeHash(sibling, hash);
        while (node % 2 === 0 && node !== 0) {
          node /= 2;
          last = Math.floor(last / 2);
        }
      } else {
        hash = nodeHash(hash, sibling);
      }
      node = Math.floor(node / 2);
      last = Math.floor(last / 2);
    }
    return last === 0 ? hash : null;
  }

  // The beginning of a record: one byte of format, then CBOR. Only what such a beginning holds.
  function beginningOf(record) {
    let at = 1;
    const read = () => {
      const first = record[at];
      at += 1;
      let value = first & 31;
      if (value > 23) {
        const more = 1 << value - 24;
        if (value > 27 || at + more > record.length) throw new Error("CBOR");
        value = 0;
        for (let i = 0; i < more; i += 1) value = value * 256 + record[at + i];
        at += more;
      }
      const major = first >> 5;
      if (major === 0) return value;
      if (major === 4) return { array: value };
      const bytes = record.slice(at, at + value);
      if (bytes.length !== value) throw new Error("CBOR");
      at += value;
      if (major === 2) return bytes;
      if (major === 3) return new TextDecoder().decode(bytes);
      throw new Error("CBOR");
    };
    if (record[0] !== 1 || !(read().array >= 5)) throw new Error("format");
    const [domain, generation, sequence, time] = [read(), read(), read(), read()];
    if (read().array !== 2) throw new Error("subject");
    const of = read();
    if (read().array !== 2) throw new Error("subject");
    const kind = ["", "entries", "requests", "grants", "organizations"][read()];
    const ids = read().array;
    let subject = `domains/${of}`;
    if (kind && ids === 1) subject += `/${kind}/${ulid(read())}`;
    return { domain, generation, sequence, time, subject };
  }

  function ulid(bytes) {
    let number = BigInt(`0x${hex(bytes)}`);
    let text = "";
    for (let i = 0; i < 26; i += 1) {
      text = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[Number(number & 31n)] + text;
      number >>= 5n;
    }
    return text;
  }

  // The key of an Ed25519 certificate stands behind its algorithm; null for other certificates.
  function keyOf(certificate) {
    const mark = "06032b6570032100";
    const at = hex(certificate).indexOf(mark);
    return at < 0 || at % 2 ? null : certificate.slice(at / 2 + 8, at / 2 + 40);
  }

  function signedText(head) {
    return [
      "luqiao-tree-head-v1", head.domain, head.cluster_id, head.generation, head.tree_size,
      hex(bytesOf(head.root_hash)), head.time_ms, head.hash_algorithm, "",
    ].join("\n");
  }

  // true, false, or null where this browser cannot tell.
  async function signatureHolds(head) {
    const key = keyOf(bytesOf(head.certificate));
    const subtle = globalThis.crypto && globalThis.crypto.subtle;
    if (!key || !subtle) return null;
    let imported;
    try {
      imported = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    } catch {
      return null;
    }
    const text = new TextEncoder().encode(signedText(head));
    return subtle.verify({ name: "Ed25519" }, imported, bytesOf(head.signature), text);
  }

  // What was found of one proof: steps with true, false or null, and both languages.
  async function check(proof) {
    const steps = [];
    const step = (holds, zh, en) => steps.push({ holds, zh, en });
    const head = proof.tree_head;
    if (head.hash_algorithm !== "sha256") {
      step(null, "账本使用国密算法 SM3/SM2，请用命令行核验", "this ledger uses SM3/SM2: check with the command line");
      return steps;
    }
    const record = bytesOf(proof.record);
    const leaf = leafHash(record);
    step(true, `记录 ${record.length} 字节，叶哈希 ${hex(leaf)}`, `the record of ${record.length} bytes has the leaf hash ${hex(leaf)}`);
    const path = proof.inclusion_proof.map(bytesOf);
    const root = rootOfPath(leaf, proof.leaf_index, head.tree_size, path);
    const included = root !== null && hex(root) === hex(bytesOf(head.root_hash));
    step(
      included,
      included ? `经 ${path.length} 个哈希得到树根 ${hex(root)}` : "记录、位置或证明被改动：得不到树头中的树根",
      included ? `over ${path.length} hashes it leads to the root ${hex(root)}` : "record, place or proof was changed: they do not lead to the root in the head",
    );
    let about = null;
    try {
      about = beginningOf(record);
    } catch { /* told below */ }
    const fits = about !== null && about.subject === proof.name && about.domain === head.domain
      && about.sequence === proof.leaf_index;
    step(
      fits,
      fits ? `记录所述正是 ${proof.name}，账本第 ${proof.leaf_index} 条` : "记录所述并非此事项或此位置",
      fits ? `the record is about ${proof.name} and says that it is number ${proof.leaf_index}` : "the record is about something else, or of another place",
    );
    for (const [label, text] of proof.texts) {
      const digest = sha256(join(bytesOf(proof.salt), label, Uint8Array.of(0), text));
      const held = hex(record).includes(hex(digest));
      step(
        held,
        held ? `文本“${label}”与记录中的摘要一致` : `文本“${label}”与记录不符`,
        held ? `the text "${label}" is the one whose digest the record holds` : `the text "${label}" is not what the record holds`,
      );
    }
    const signed = await signatureHolds(head);
    step(
      signed,
      signed === null ? "此浏览器不能核验签名：请用命令行或脚本" : signed ? "树头签名与其证书中的密钥相符" : "树头签名不符",
      signed === null ? "this browser cannot check the signature: use the command line or the script" : signed ? "the head is signed by the key in its certificate" : "the signature of the head is wrong",
    );
    step(
      null,
      "证书由谁签发，须以信任锚核验：luqiao receipt verify",
      "who issued the certificate is checked with the trust anchor: luqiao receipt verify",
    );
    return steps;
  }

  return { sha256, hex, check };
})();

async function show() {
  const bag = JSON.parse(document.getElementById("bag").textContent);
  const list = document.getElementById("checks");
  const draw = async (proofs) => {
    list.replaceChildren();
    for (const proof of proofs) {
      const item = document.createElement("li");
      item.textContent = proof.name;
      const steps = document.createElement("ul");
      let found;
      try {
        found = await Verifier.check(proof);
      } catch (error) {
        found = [{ holds: false, zh: `无法理解：${error}`, en: `cannot be understood: ${error}` }];
      }
      for (const { holds, zh, en } of found) {
        const line = document.createElement("li");
        line.className = holds === null ? "open" : holds ? "good" : "bad";
        line.textContent = `${holds === null ? "○" : holds ? "✓" : "✗"} ${zh} · ${en}`;
        steps.append(line);
      }
      item.append(steps);
      list.append(item);
    }
  };
  document.getElementById("again").onclick = () => draw(bag.proofs);
  document.getElementById("flip").onclick = () => draw(bag.proofs.map((proof) => {
    const text = atob(proof.record);
    const last = text.length - 1;
    const flipped = text.slice(0, last) + String.fromCharCode(text.charCodeAt(last) ^ 1);
    return { ...proof, record: btoa(flipped) };
  }));
  await draw(bag.proofs);
}

if (typeof document !== "undefined") show();
