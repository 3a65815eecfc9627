// Dynamic volumes of the one node: a folder per claim.
// Usage: node main.ts <kubeconfig> <folder for volumes>
import { chmod, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ApiException,
  CoreV1Api,
  type Informer,
  KubeConfig,
  type KubernetesObject,
  makeInformer,
} from '@kubernetes/client-node'
import { NODE } from '../layout.ts'
import { isReleased, volumeFor, volumeName, wantsVolume } from './volume.ts'

const RETRY_MS = 2_000
const [kubeconfig = '', folder = ''] = process.argv.slice(2)
const config = new KubeConfig()
config.loadFromFile(kubeconfig)
const api = config.makeApiClient(CoreV1Api)

const claims = makeInformer(config, '/api/v1/persistentvolumeclaims', () =>
  api.listPersistentVolumeClaimForAllNamespaces(),
)
const volumes = makeInformer(config, '/api/v1/persistentvolumes', () => api.listPersistentVolume())

let working = false
let again = false

/** One pass over everything; events only say that it is time for another. */
async function pass(): Promise<void> {
  again = true
  if (working) return
  working = true
  try {
    while (again) {
      again = false
      await provisionAll()
      await removeReleased()
    }
  } finally {
    working = false
  }
}

async function provisionAll(): Promise<void> {
  for (const claim of claims.list()) {
    if (!wantsVolume(claim, NODE.name)) continue
    const path = join(folder, volumeName(claim))
    await mkdir(path, { recursive: true })
    // Whatever user the pod runs as must be able to write; the parent folder is closed to others.
    await chmod(path, 0o777)
    const made = await ignoring(
      409,
      api.createPersistentVolume({ body: volumeFor(claim, NODE.name, folder) }),
    )
    if (made) console.log(`provisioned ${volumeName(claim)}`)
  }
}

async function removeReleased(): Promise<void> {
  for (const volume of volumes.list()) {
    const name = volume.metadata?.name
    if (!name || !isReleased(volume)) continue
    await rm(join(folder, name), { recursive: true, force: true })
    if (await ignoring(404, api.deletePersistentVolume({ name }))) console.log(`removed ${name}`)
  }
}

/** The informer may lag behind what we did ourselves a moment ago. */
async function ignoring(status: number, call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    if (error instanceof ApiException && error.code === status) return false
    throw error
  }
}

const tick = (): void => {
  pass().catch((error: unknown) => console.error('pass failed:', error))
}

function watch<T extends KubernetesObject>(informer: Informer<T>): void {
  informer.on('add', tick)
  informer.on('update', tick)
  informer.on('delete', tick)
  const start = (): void => {
    informer.start().catch((error: unknown) => {
      console.error('watch failed:', error)
      setTimeout(start, RETRY_MS)
    })
  }
  informer.on('error', () => setTimeout(start, RETRY_MS))
  start()
}

watch(claims)
watch(volumes)
setInterval(tick, 30_000) // what failed once is tried again without an event
