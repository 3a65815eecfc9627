import { describe, expect, it } from 'vitest'
import { layersOf, partition } from './debian-partition.ts'
import { parseStatus } from './dpkg.ts'

const packages = parseStatus(
  [
    'Package: libc6\nEssential: yes',
    'Package: ca-certificates\nDepends: libc6',
    'Package: nginx\nDepends: libc6, libxml2',
    'Package: postgresql\nDepends: libc6, libxml2, perl',
    'Package: libxml2\nDepends: libc6',
    'Package: perl',
  ].join('\n\n'),
)
const components = { base: ['ca-certificates'], nginx: ['nginx'], postgres: ['postgresql'] }
const layers = partition(packages, { components, unused: ['perl'] })

describe('partition', () => {
  it('puts essential packages into the base and repeats them in no other layer', () => {
    expect([...(layers.get('base') ?? [])].sort()).toEqual(['ca-certificates', 'libc6'])
    expect([...(layers.get('nginx') ?? [])].sort()).toEqual(['libxml2', 'nginx'])
  })

  it('puts an unused package into no layer', () => {
    expect([...layers.values()].some((members) => members.has('perl'))).toBe(false)
  })
})

describe('layersOf', () => {
  const owners = new Map([
    ['usr/sbin/nginx', ['nginx']],
    ['usr/lib/libxml2.so', ['libxml2']],
    ['usr/bin/perl', ['perl']],
    ['usr/bin', ['perl', 'libc6']],
    ['usr/share/doc/nginx/README', ['nginx']],
  ])
  const of = (path: string) => layersOf(path, owners, layers)

  it('gives a file to the component whose package ships it', () => {
    expect(of('./usr/sbin/nginx')).toEqual(['nginx'])
  })

  it('gives a library to every component that needs it', () => {
    expect(of('./lib/libxml2.so')).toEqual(['nginx', 'postgres'])
  })

  it('gives what maintainer scripts made, and what a base package shares, to the base', () => {
    expect(of('./etc/passwd')).toEqual(['base'])
    expect(of('./usr/bin/')).toEqual(['base'])
  })

  it.each([
    ['a file of an unused package', './usr/bin/perl'],
    ['documentation', './usr/share/doc/nginx/README'],
    ['a private key that a package made', './etc/ssl/private/ssl-cert-snakeoil.key'],
    ['what starts services on a machine that boots', './etc/rc3.d/S01nginx'],
    ['a device', './dev/null'],
    ["the building host's resolver", './etc/resolv.conf'],
    ['the database that the package made for itself', './var/lib/postgresql/17/main/PG_VERSION'],
  ])('leaves out %s', (_what, path) => {
    expect(of(path)).toEqual([])
  })
})
