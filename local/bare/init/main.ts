// First program of the node's namespaces: prepares them, then keeps the components running.
// Usage: node main.ts <spec.json> <state folder>
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { layoutOf, NODE } from '../layout.ts'
import type { NodeSpec } from '../spec.ts'
import { forward } from './forward.ts'
import { endPods } from './pods.ts'
import { keepPolicyQueue } from './policy-queue.ts'
import { readinessWith } from './ready.ts'
import { Supervisor } from './supervisor.ts'

const [specPath = '', state = ''] = process.argv.slice(2)
const spec = JSON.parse(readFileSync(specPath, 'utf8')) as NodeSpec
const layout = layoutOf(state)
const say = (text: string): void => console.log(`${new Date().toISOString()} ${text}`)

for (const [program = '', ...args] of spec.prepare) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) continue
  say(`cannot prepare the node: ${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
  process.exit(1)
}

const servers = await Promise.all(spec.forwards.map(forward))
const supervisor = new Supervisor(layout.logs, readinessWith(layout.pki), say)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    for (const server of servers) server.close()
    // Nobody starts them again then, and nobody asks the API server any more.
    void supervisor.stop(async (name) => {
      if (name === 'kubelet') await endPods()
    })
  })
}
say('node started')
void keepPolicyQueue(NODE.queue, say)
await supervisor.run(spec.components)
say('node stopped')
process.exit(0)
