import { describe, expect, it } from 'vitest'
import { RecentReviews } from './recent-reviews.ts'
import type { Review } from './token-reviewer.ts'

const operator: Review = { kind: 'account', name: 'system:serviceaccount:palisade-system:operator' }

function world(answer: (asked: number) => Promise<Review> = () => Promise.resolve(operator)) {
  let nowMs = 0
  const asked: string[] = []
  const reviews = new RecentReviews(
    (token) => {
      asked.push(token)
      return answer(asked.length)
    },
    () => nowMs,
  )
  return { reviews, asked, at: (ms: number) => (nowMs = ms) }
}

describe('RecentReviews', () => {
  it('asks once about a token in two seconds, and again after them', async () => {
    const { reviews, asked, at } = world()
    expect(await reviews.of('a')).toEqual({ review: operator, source: 'review' })
    at(1_999)
    expect(await reviews.of('a')).toEqual({ review: operator, source: 'cache' })
    at(2_000)
    expect((await reviews.of('a')).source).toBe('review')
    expect(asked).toHaveLength(2)
  })

  it('counts them from the question, however late the answer comes', async () => {
    let answer: (review: Review) => void = () => undefined
    const { reviews, asked, at } = world(() => new Promise((resolve) => (answer = resolve)))
    const first = reviews.of('a')
    at(1_500)
    answer(operator)
    await first
    at(2_000)
    void reviews.of('a')
    expect(asked).toHaveLength(2)
  })

  it('asks once for requests that come with the same token at the same time', async () => {
    const { reviews, asked } = world()
    await Promise.all([reviews.of('a'), reviews.of('a'), reviews.of('b')])
    expect(asked).toEqual(['a', 'b'])
  })

  it('takes no failure for an answer', async () => {
    const { reviews } = world((asked) =>
      asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve(operator),
    )
    await expect(reviews.of('a')).rejects.toThrow('away')
    expect((await reviews.of('a')).review).toEqual(operator)
  })

  it('remembers 256 tokens and forgets the oldest', async () => {
    const { reviews, asked } = world()
    for (let i = 0; i <= 256; i++) await reviews.of(`token-${i}`)
    await reviews.of('token-256')
    expect(asked).toHaveLength(257)
    await reviews.of('token-0')
    expect(asked).toHaveLength(258)
  })
})
