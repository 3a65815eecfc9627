import type { Backend } from '../backend.ts'
import { imageStore } from '../images/ensure.ts'
import { importImages } from '../images/import.ts'
import { cacheDir } from '../paths.ts'
import { finishNode, nodeContainerd, nodeLog, startControlPlane } from './backend.ts'
import { type Layout, NODE } from './layout.ts'

export type ToolPath = (name: string) => Promise<string>

export const bareBackend = (layout: Layout, toolPath: ToolPath): Backend => ({
  name: 'bare',
  podCidr: NODE.podCidr,
  log: nodeLog(layout),
  startControlPlane: (context) => startControlPlane(layout, toolPath, context),
  finishNode: (context) => finishNode(layout, toolPath, context),
  importImages: async (images, context) => {
    const containerd = await nodeContainerd(layout)
    const made = await importImages(images, imageStore(cacheDir()), containerd, context)
    return made.length === 0 ? 'unchanged' : `${made.length} imported`
  },
})
