// Builds the client into Web/wwwroot/dist, and only what changed: packages when package-lock.json did, the bundle when
// a source did. MSBuild runs it on every build of Web (client/Client.targets); two builds at once wait for each other.
// `node build.mjs --packages` stops after the packages.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const oldestNode = 20;
const compressedTypes = /\.(js|css|html|svg|json|wasm|map)$/;
const smallestWorthCompressing = 512;

const client = dirname(fileURLToPath(import.meta.url));
const web = dirname(client);
const dist = join(web, 'wwwroot', 'dist');
const work = join(web, 'obj', 'client'); // same file system as dist: a rename publishes
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  fail(`Node ${process.versions.node} is too old: the client needs Node >= ${oldestNode}.`);
}

fs.mkdirSync(work, { recursive: true });
const release = await lock(join(work, 'build.lock'));
try {
  await installPackages();
  if (!process.argv.includes('--packages')) {
    await bundle();
  }
} finally {
  release();
}

async function installPackages() {
  const stamp = join(client, 'node_modules', '.platform-stamp');
  const wanted = hashOf([join(client, 'package-lock.json'), join(client, 'package.json')]);
  if (read(stamp) === wanted) {
    return;
  }
  console.log('client: installing packages (package-lock.json changed)');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  fs.writeFileSync(stamp, wanted);
}

async function bundle() {
  const stamp = join(dist, '.stamp');
  const sources = ['package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts', 'build.mjs'].map((f) => join(client, f));
  const wanted = hashOf([...sources, ...filesBelow(join(client, 'src'))]);
  if (read(stamp) === wanted) {
    return;
  }
  const started = performance.now();
  const staging = join(work, 'dist');
  run(process.execPath, [join(client, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '-p', client]);
  run(process.execPath, [join(client, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], { CLIENT_OUT: staging });
  await Promise.all(filesBelow(staging).filter((f) => compressedTypes.test(f)).map(precompress));
  fs.writeFileSync(join(staging, '.stamp'), wanted);

  const previous = join(work, 'previous');
  fs.rmSync(previous, { recursive: true, force: true });
  fs.mkdirSync(dirname(dist), { recursive: true });
  if (fs.existsSync(dist)) {
    fs.renameSync(dist, previous);
  }
  fs.renameSync(staging, dist);
  fs.rmSync(previous, { recursive: true, force: true });
  console.log(`client: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Writes `file`.br and `file`.gz beside it where they are smaller: the server only picks one. */
async function precompress(file) {
  const bytes = fs.readFileSync(file);
  if (bytes.length < smallestWorthCompressing || file.includes('.vite')) {
    return;
  }
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  for (const [ending, packed] of [['.br', br], ['.gz', gz]]) {
    if (packed.length < bytes.length) {
      fs.writeFileSync(file + ending, packed);
    }
  }
}

/** Holds an exclusive lock file; a lock whose process is gone is taken over. */
async function lock(path) {
  const giveUp = Date.now() + 10 * 60_000;
  for (;;) {
    try {
      fs.writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => fs.rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') {
        throw error;
      }
    }
    const owner = Number(read(path));
    if (owner > 0 && !isRunning(owner)) {
      // Renamed, not removed: of several that wait only one gets it, and a lock that was taken meanwhile is put back.
      const stale = `${path}.${process.pid}`;
      try {
        fs.renameSync(path, stale);
        if (Number(read(stale)) !== owner) {
          fs.linkSync(stale, path);
        }
      } catch {
        // Somebody else was faster.
      }
      fs.rmSync(stale, { force: true });
      continue;
    }
    if (Date.now() > giveUp) {
      fail(`another build (process ${owner}) has held ${path} for ten minutes.`);
    }
    await sleep(200);
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function hashOf(files) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const file of files) {
    const bytes = fs.readFileSync(file);
    hash.update(`${relative(client, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function read(path) {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function run(command, args, environment = {}) {
  const done = spawnSync(command, args, { cwd: client, stdio: 'inherit', env: { ...process.env, ...environment }, shell: process.platform === 'win32' });
  if (done.error) {
    release();
    fail(`${command} could not be started: ${done.error.message}`);
  }
  if (done.status !== 0) {
    release();
    process.exit(done.status ?? 1);
  }
}

function fail(message) {
  console.error(`client: error: ${message}`);
  process.exit(1);
}
