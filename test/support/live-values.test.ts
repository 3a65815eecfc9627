import { describe, expect, it } from 'vitest'
import { wordsOf } from './live-values.ts'

describe('wordsOf', () => {
  it.each(['-starts_like_a_rule_of_redis', '+k9P0aVtq7c2xxxx', '@k9P0aVtq7c2dddd'])(
    'takes a password for what it is, whatever sign it begins with: %s',
    (password) => expect(wordsOf(password)).toEqual([password]),
  )

  it('takes the passwords and digests of a list of Redis users, and none of its rules', () => {
    const digest = 'ab'.repeat(32)
    const list = `user gateway on #${digest} >plain-password-of-a-user ~palisade:limits:* +@read -@dangerous`
    expect(wordsOf(list)).toEqual([digest, 'plain-password-of-a-user'])
  })

  it('knows a private key by its second line of text', () => {
    const key = [
      '-----BEGIN PRIVATE KEY-----',
      'MIGHAgEAMBMGByqGSM49',
      'AgEGCCqGSM49AwEHBG0w',
      'x',
    ].join('\n')
    expect(wordsOf(key)).toEqual(['AgEGCCqGSM49AwEHBG0w'])
  })
})
