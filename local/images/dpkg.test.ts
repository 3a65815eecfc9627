import { describe, expect, it } from 'vitest'
import { closure, merged, parseStatus } from './dpkg.ts'

const status = parseStatus(
  [
    'Package: nginx\nDepends: libc6 (>= 2.34), nginx-common (= 1.26.3), libssl | libressl',
    'Package: nginx-common\nDepends: debconf-2.0',
    'Package: debconf\nProvides: debconf-2.0',
    'Package: libc6\nEssential: yes\nPre-Depends: libgcc-s1:any',
    'Package: libgcc-s1',
    'Package: libressl\nDepends: libc6, llvm',
    'Package: llvm\nDepends: z3',
    'Package: z3',
  ].join('\n\n'),
)

describe('parseStatus', () => {
  it('reads relations without versions and architectures', () => {
    expect(status.get('nginx')?.depends).toEqual([
      ['libc6'],
      ['nginx-common'],
      ['libssl', 'libressl'],
    ])
    expect(status.get('libc6')).toMatchObject({ essential: true, depends: [['libgcc-s1']] })
  })
})

describe('closure', () => {
  it('follows dependencies, the installed alternative and the provider of a virtual package', () => {
    expect([...closure(status, ['nginx'])].sort()).toEqual(
      ['debconf', 'libc6', 'libgcc-s1', 'libressl', 'llvm', 'nginx', 'nginx-common', 'z3'].sort(),
    )
  })

  it('leaves out an unused package and what only that one needs', () => {
    const found = closure(status, ['nginx'], new Set(['llvm']))
    expect(found).not.toContain('llvm')
    expect(found).not.toContain('z3')
    expect(found).toContain('libressl')
  })
})

describe('merged', () => {
  it('names files by their folder under /usr', () => {
    expect(merged('/lib/x86_64-linux-gnu/libc.so.6')).toBe('usr/lib/x86_64-linux-gnu/libc.so.6')
    expect(merged('./usr/bin/')).toBe('usr/bin')
    expect(merged('/library/file')).toBe('library/file')
  })
})
