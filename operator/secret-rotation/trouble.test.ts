import { describe, expect, it } from 'vitest'
import { ApiError } from '../runtime/api-error.ts'
import { observed } from './testkit/observed.ts'
import { troubleOf } from './trouble.ts'

const { rotation } = observed()

describe('troubleOf', () => {
  it('stalls a rotation whose namespace took the operator its rights', () => {
    const error = new ApiError(403, 'Forbidden', 'pods is forbidden')
    const standing = troubleOf(error, rotation)
    expect(standing).toMatchObject({ stalled: true, reason: 'NamespaceNotEnabled' })
    expect(standing?.message).toContain('pods is forbidden')
  })

  it('says nothing of an answer that the next pass may not get again', () => {
    expect(troubleOf(new ApiError(500, 'InternalError', 'etcd'), rotation)).toBeUndefined()
  })
})
