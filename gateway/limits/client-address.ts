import { isIPv4, isIPv6 } from 'node:net'

/**
 * The part of an address that stands for one client: IPv4 whole, IPv6 its /64, since whoever holds one address of
 * a /64 holds all of them. IPv4-mapped IPv6 is IPv4.
 */
export function clientNetwork(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (!isIPv6(address)) return address
  return `${expand(address).slice(0, 4).join(':')}::/64`
}

function expand(address: string): string[] {
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const gap = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = address.includes('::') ? [...left, ...gap, ...right] : left
  return groups.map((group) => Number.parseInt(group, 16).toString(16))
}
