import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { PalisadeError } from '#core/problem'
import { leavesConnectionUnusable, storeError } from './outcome.ts'

function serverError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('the text of the server, which may quote a value', 0, 'error')
  error.code = code
  return error
}
const brokenPipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })

describe('storeError', () => {
  it.each([
    ['a token version that moved on', serverError('PL010'), 'ERR_TOKEN_INVALID'],
    ['a full disk', serverError('53100'), 'ERR_AUDIT_STORAGE_FULL'],
    ['a connection that broke', brokenPipe, 'ERR_OUTCOME_UNKNOWN'],
    ['a session that was ended', serverError('57P01'), 'ERR_OUTCOME_UNKNOWN'],
    ['a server that crashed', serverError('57P02'), 'ERR_OUTCOME_UNKNOWN'],
    ['a server that starts', serverError('57P03'), 'ERR_DATABASE_UNAVAILABLE'],
    ['too many connections', serverError('53300'), 'ERR_DATABASE_UNAVAILABLE'],
    ['a primary that became a standby', serverError('25006'), 'ERR_DATABASE_UNAVAILABLE'],
    ['an error of its disk', serverError('58030'), 'ERR_DATABASE_UNAVAILABLE'],
    ['a statement that took too long', serverError('57014'), 'ERR_UNAVAILABLE'],
    ['a deadlock', serverError('40P01'), 'ERR_UNAVAILABLE'],
    ['a number beyond its column', serverError('22003'), 'ERR_VALIDATION'],
    ['a byte that is no UTF-8', serverError('22021'), 'ERR_VALIDATION'],
  ])('after the statement was sent calls %s by its code', (_, error, code) => {
    const known = storeError(error, true)
    expect(known).toMatchObject({ code })
    expect((known as PalisadeError).message).not.toContain('quote')
  })

  it.each([
    ['a refused password', serverError('28P01')],
    ['a database that is not there', serverError('3D000')],
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
  ])('before anything was sent calls %s a database that cannot be reached', (_, error) => {
    expect(storeError(error, false)).toMatchObject({ code: 'ERR_DATABASE_UNAVAILABLE' })
  })

  it('leaves what nobody foresaw as it is', () => {
    const error = serverError('42P01')
    expect(storeError(error, true)).toBe(error)
  })
})

describe('leavesConnectionUnusable', () => {
  it.each([
    ['a broken connection', brokenPipe, true],
    ['an unconfirmed commit', new PalisadeError('ERR_OUTCOME_UNKNOWN', 'x'), true],
    ['the end of the session', serverError('57P01'), true],
    ['a server that is a standby now', serverError('25006'), true],
    ['a violated key', serverError('23505'), false],
  ])('of %s is %s', (_, error, unusable) => {
    expect(leavesConnectionUnusable(error)).toBe(unusable)
  })
})
