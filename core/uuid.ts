import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'

/** A UUID version 7 (RFC 9562 5.7): sorts by time, so index pages stay warm, and needs no counter. */
export function uuidV7(clock: Clock, random: (bytes: number) => Buffer = randomBytes): string {
  const bytes = Buffer.allocUnsafe(16)
  random(10).copy(bytes, 6)
  bytes.writeUIntBE(clock.now().getTime(), 0, 6)
  bytes.writeUInt8(((bytes[6] ?? 0) & 0x0f) | 0x70, 6)
  bytes.writeUInt8(((bytes[8] ?? 0) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** When an id of version 7 was made. */
export const momentOf = (id: string): Date =>
  new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16))
