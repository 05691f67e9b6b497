/** Small deterministic hashes for spreading work (lanes, shards). Not for secrets and not for identity. */

/** FNV-1a over UTF-16 code units with a final avalanche (murmur3's), 32 bits unsigned. */
export function hash32(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** The lane a key belongs to. The same in every process and version: changing it would break order per key. */
export function laneOf(key: string, lanes: number): number {
  return hash32(key) % lanes
}
