import { describe, expect, it } from 'vitest'
import { sourcesFor } from './apt-sources.ts'

const target = (release: string, repository: string) => ({ release, repository })

describe('sourcesFor', () => {
  it('asks the mirrors of this machine for the other suite, its updates and its security fixes', () => {
    const targets = [
      target('bookworm-updates', 'http://mirror.test/debian/'),
      target('bookworm', 'http://mirror.test/debian/'),
      target('bookworm-security', 'http://mirror.test/security/'),
    ]
    expect(sourcesFor('trixie', targets).split('\n')).toEqual([
      'deb http://mirror.test/debian/ trixie main',
      'deb http://mirror.test/debian/ trixie-updates main',
      'deb http://mirror.test/security/ trixie-security main',
      '',
    ])
  })

  it('refuses with a remedy when apt names no release', () => {
    expect(() => sourcesFor('trixie', [])).toThrow(
      expect.objectContaining({ code: 'ERR_APT_SOURCES' }),
    )
  })
})
