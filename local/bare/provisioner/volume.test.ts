import type { V1PersistentVolumeClaim } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import { isReleased, PROVISIONER, volumeFor, volumeName, wantsVolume } from './volume.ts'

const claim = (change: object = {}): V1PersistentVolumeClaim => ({
  metadata: {
    name: 'data',
    namespace: 'team',
    uid: '0f9d7a2e-1111-4222-8333-944444444444',
    annotations: { 'volume.kubernetes.io/selected-node': 'palisade' },
  },
  spec: {
    storageClassName: 'palisade-local',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '2Gi' } },
    ...change,
  },
})

describe('wantsVolume', () => {
  it('is true once the pod of the claim was placed on this node', () => {
    expect(wantsVolume(claim(), 'palisade')).toBe(true)
  })
  it('is false for another node, another class and a claim that has a volume', () => {
    expect(wantsVolume(claim(), 'other')).toBe(false)
    expect(wantsVolume(claim({ storageClassName: 'fast' }), 'palisade')).toBe(false)
    expect(wantsVolume(claim({ volumeName: 'pv' }), 'palisade')).toBe(false)
  })
})

describe('volumeName', () => {
  it('refuses a uid that could lead out of the folder', () => {
    const bad = { ...claim(), metadata: { name: 'x', uid: '../../etc' } }
    expect(() => volumeName(bad)).toThrow('no usable uid')
  })
})

describe('volumeFor', () => {
  it('binds to the one claim, by uid, on the one node', () => {
    const { spec } = volumeFor(claim(), 'palisade', '/volumes')
    expect(spec?.local?.path).toBe('/volumes/pvc-0f9d7a2e-1111-4222-8333-944444444444')
    expect(spec?.claimRef).toMatchObject({
      namespace: 'team',
      name: 'data',
      uid: claim().metadata?.uid,
    })
    expect(spec?.capacity).toEqual({ storage: '2Gi' })
  })
})

describe('isReleased', () => {
  const volume = (phase: string, by: string): object => ({
    metadata: { annotations: { 'pv.kubernetes.io/provisioned-by': by } },
    spec: { persistentVolumeReclaimPolicy: 'Delete' },
    status: { phase },
  })
  it('is true for a volume of ours whose claim is gone, and for no other', () => {
    expect(isReleased(volume('Released', PROVISIONER))).toBe(true)
    expect(isReleased(volume('Bound', PROVISIONER))).toBe(false)
    expect(isReleased(volume('Released', 'another.example/disk'))).toBe(false)
  })
})
