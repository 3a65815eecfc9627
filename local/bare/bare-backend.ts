import type { Backend } from '../backend.ts'
import { finishNode, importIntoNode, nodeLog, startControlPlane } from './backend.ts'
import { type Layout, NODE } from './layout.ts'
import { runningRelay } from './tree.ts'

export const bareBackend = (layout: Layout): Backend => ({
  name: 'bare',
  podCidr: NODE.podCidr,
  log: nodeLog(layout),
  stackConfig: {}, // the committed file describes this backend
  isThere: async () => (await runningRelay(layout)) !== undefined,
  startControlPlane: (context) => startControlPlane(layout, context),
  finishNode: (context) => finishNode(layout, context),
  importImages: async (images, context) => {
    const made = await importIntoNode(layout, images, context)
    return made.length === 0 ? 'unchanged' : `${made.length} imported`
  },
})
