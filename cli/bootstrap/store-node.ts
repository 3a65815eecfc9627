import { setTimeout as sleep } from 'node:timers/promises'

/** What a node of the secret store says about itself, without a token: `sys/init`. Undefined when it does not answer. */
export type AskNode = (address: string) => Promise<boolean | undefined>

export interface NodeChoice {
  /** Name of the pod; the one with ordinal 0 makes the store. */
  readonly pod: string
  /** True when this node has been part of a store before. */
  readonly hasData: boolean
  /** The other nodes. */
  readonly others: readonly string[]
  readonly ask: AskNode
  readonly pause?: () => Promise<void>
}

/**
 * Which configuration a node starts with. One that both makes a store and joins others would make one of its own beside
 * theirs. So only the first node makes it, and only while every other one says that it belongs to none: a first node
 * that lost its volume joins, and one that cannot ask waits, since silence is no proof.
 */
export async function chooseConfig(choice: NodeChoice): Promise<'first' | 'join'> {
  const { pod, hasData, others, ask, pause = () => sleep(2_000) } = choice
  if (!pod.endsWith('-0')) return 'join'
  for (;;) {
    const answers = await Promise.all(others.map(ask))
    if (answers.includes(true)) return 'join'
    if (answers.every((answer) => answer === false)) return 'first'
    if (hasData) return 'join'
    await pause()
  }
}
