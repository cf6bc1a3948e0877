// What the viewer's decoder sees in streams. usage: node codec-openjph.cjs PACKAGE LIST
// LIST has a line for each stream: its path, the resolutions to leave out, the path that takes the samples.
const fs = require('fs');
const [package_, list] = process.argv.slice(2);
(async () => {
  const module_ = await require(package_)();
  for (const line of fs.readFileSync(list, 'utf8').trim().split('\n')) {
    const [source, reduce, target] = line.split('\t');
    const stream = fs.readFileSync(source);
    const decoder = new module_.HTJ2KDecoder();
    decoder.getEncodedBuffer(stream.length).set(stream);
    if (+reduce > 0) decoder.decodeSubResolution(+reduce);
    else decoder.decode();
    fs.writeFileSync(target, Buffer.from(decoder.getDecodedBuffer()));
    decoder.delete();
  }
})().catch(error => { console.error(error); process.exit(1); });
