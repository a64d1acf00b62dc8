const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const { execFileSync } = require('child_process');
const fs = require('fs/promises');
const zlib = require('zlib');
const sum = (n) => { let s = 0; for (let i = 0; i < n; i++) s += i; return s; };
if (!isMainThread) {
  parentPort.postMessage(sum(workerData));
} else {
  const work = (n) => new Promise((done, failed) => new Worker(__filename, { workerData: n }).on('message', done).on('error', failed));
  (async () => {
    const sums = await Promise.all([1000, 2000, 3000].map(work));
    await fs.writeFile('file', 'text');
    const text = await fs.readFile('file', 'utf8');
    const packed = zlib.gunzipSync(zlib.gzipSync('packed')).toString();
    console.log(sums.join(' '), text, packed, execFileSync('/bin/echo', ['child']).toString().trim());
  })();
}
