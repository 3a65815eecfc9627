import type { Backend } from '../backend.ts'
import { imageStore } from '../images/ensure.ts'
import { importImages } from '../images/import.ts'
import { cacheDir } from '../paths.ts'
import { finishNode, nodeContainerd, nodeLog, startControlPlane } from './backend.ts'
import { type Layout, NODE } from './layout.ts'

export const bareBackend = (layout: Layout): Backend => ({
  name: 'bare',
  podCidr: NODE.podCidr,
  log: nodeLog(layout),
  stackConfig: {}, // the committed file describes this backend
  startControlPlane: (context) => startControlPlane(layout, context),
  finishNode: (context) => finishNode(layout, context),
  importImages: async (images, context) => {
    const containerd = await nodeContainerd(layout)
    const made = await importImages(images, imageStore(cacheDir()), containerd, context)
    return made.length === 0 ? 'unchanged' : `${made.length} imported`
  },
})
