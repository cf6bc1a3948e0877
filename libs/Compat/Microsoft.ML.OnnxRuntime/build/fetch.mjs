// Takes one file out of an npm package: `node fetch.mjs PACKAGE@VERSION ENTRY SHA256 DESTINATION`.
// Nothing of the package is installed or run. The file appears at its destination whole and with that digest, or not at all.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createGunzip } from 'node:zlib';

const [spec, entry, sha256, destination] = process.argv.slice(2);
const block = 512; // of a tar archive
fs.mkdirSync(dirname(destination), { recursive: true });
const work = fs.mkdtempSync(join(dirname(destination), '.fetch-'));
try {
  console.log(`ONNX Runtime: fetching ${spec} from npm (once)`);
  const packed = spawnSync('npm', ['pack', spec, '--ignore-scripts', '--silent', '--pack-destination', work], { encoding: 'utf8', shell: process.platform === 'win32' });
  const archive = fs.readdirSync(work).find((name) => name.endsWith('.tgz'));
  if (packed.status !== 0 || !archive) {
    throw new Error(`npm could not fetch it: ${(packed.stderr || packed.error?.message || '').trim().split('\n').slice(-3).join(' ')}`);
  }
  const file = join(work, basename(destination));
  const digest = await extract(join(work, archive), entry, file);
  if (digest !== sha256) {
    throw new Error(`${entry} has the SHA-256 ${digest}, not ${sha256}: it is not used`);
  }
  fs.renameSync(file, destination); // two builds at once: both have the same bytes
} catch (error) {
  console.log(`ONNX Runtime is not there, models will not run: ${error.message}. The next build tries again; -p:SkipOnnxRuntime=true does not.`);
  process.exitCode = 1;
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

/** Writes the one entry of a .tgz to a file and gives its SHA-256. The sizes of a tar header are octal, its files padded to blocks. */
async function extract(archive, name, file) {
  const bytes = fs.createReadStream(archive).pipe(createGunzip());
  const out = fs.openSync(file, 'wx', 0o644);
  const hash = createHash('sha256');
  try {
    let header = Buffer.alloc(0), left = 0, padding = 0, wanted = false;
    for await (let chunk of bytes) {
      while (chunk.length > 0) {
        if (left > 0) {
          const part = chunk.subarray(0, left);
          if (wanted) {
            hash.update(part);
            fs.writeSync(out, part);
          }
          left -= part.length;
          chunk = chunk.subarray(part.length);
          if (left === 0 && wanted) {
            return hash.digest('hex');
          }
        } else if (padding > 0) {
          const skipped = Math.min(padding, chunk.length);
          padding -= skipped;
          chunk = chunk.subarray(skipped);
        } else {
          const part = chunk.subarray(0, block - header.length);
          header = Buffer.concat([header, part]);
          chunk = chunk.subarray(part.length);
          if (header.length === block) {
            const path = header.toString('utf8', 0, 100).replace(/\0.*$/s, '');
            left = Number.parseInt(header.toString('ascii', 124, 136).replace(/[^0-7].*$/s, '') || '0', 8);
            padding = (block - (left % block)) % block;
            wanted = path === name;
            header = Buffer.alloc(0);
          }
        }
      }
    }
  } finally {
    fs.closeSync(out);
    bytes.destroy();
  }
  throw new Error(`${name} is not in the package`);
}
