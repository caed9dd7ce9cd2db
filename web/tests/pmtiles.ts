// Makes the smallest PMTiles archive there is: one picture for the whole globe
// (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md).

const HEADER_BYTES = 127;
const PNG = 2;
const UNCOMPRESSED = 1;

/** An archive whose only tile, 0/0/0, is this picture. */
export function archiveOf(png: Buffer): Buffer {
  // One entry: tile 0, in a run of 1, of this length, at the beginning.
  const directory = Buffer.concat([1, 0, 1, png.length, 1].map(varint));
  const metadata = Buffer.from("{}");
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("PMTiles", "latin1");
  header.writeUInt8(3, 7);
  const sections = [directory.length, metadata.length, 0, png.length];
  let offset = HEADER_BYTES;
  sections.forEach((length, index) => {
    header.writeBigUInt64LE(BigInt(offset), 8 + 16 * index);
    header.writeBigUInt64LE(BigInt(length), 16 + 16 * index);
    offset += length;
  });
  for (const at of [72, 80, 88]) header.writeBigUInt64LE(1n, at);
  header.writeUInt8(1, 96);
  header.writeUInt8(UNCOMPRESSED, 97);
  header.writeUInt8(UNCOMPRESSED, 98);
  header.writeUInt8(PNG, 99);
  const world = [-180, -85, 180, 85].map((degrees) => degrees * 1e7);
  world.forEach((degrees, index) => header.writeInt32LE(degrees, 102 + 4 * index));
  return Buffer.concat([header, directory, metadata, png]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
