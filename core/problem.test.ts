import { describe, expect, it } from 'vitest'
import { PalisadeError, toProblem } from './problem.ts'

describe('PalisadeError', () => {
  it('says code, cause and next step in one line', () => {
    const error = new PalisadeError(
      'ERR_BACKEND_UNREACHABLE',
      'db-rw:5432 refused the connection',
      {
        remedy: 'start the database',
      },
    )
    expect(error.message).toBe(
      'ERR_BACKEND_UNREACHABLE: db-rw:5432 refused the connection; start the database',
    )
    expect(error.status).toBe(503)
  })

  it("falls back to the catalogue's remedy and keeps the cause", () => {
    const cause = new Error('ECONNREFUSED')
    const error = new PalisadeError('ERR_RATE_LIMITED', '5 requests per minute', { cause })
    expect(error.remedy).toContain('Retry-After')
    expect(error.cause).toBe(cause)
  })
})

describe('toProblem', () => {
  it('gives the RFC 9457 members, the code and the way out', () => {
    expect(
      toProblem(new PalisadeError('ERR_FORBIDDEN', 'scope secrets:write is missing'), '/x'),
    ).toEqual({
      type: 'https://palisade.dev/errors/ERR_FORBIDDEN',
      title: 'Not allowed',
      status: 403,
      detail: 'scope secrets:write is missing',
      code: 'ERR_FORBIDDEN',
      remedy: expect.any(String) as string,
      instance: '/x',
    })
  })

  it('shows nothing of an error outside the catalogue', () => {
    const problem = toProblem(new Error('password authentication failed for canary-7f3a'))
    expect(problem.status).toBe(500)
    expect(JSON.stringify(problem)).not.toContain('canary-7f3a')
  })
})
