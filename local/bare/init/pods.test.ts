import { describe, expect, it } from 'vitest'
import { isOfPod } from './pods.ts'

describe('isOfPod', () => {
  it.each([
    ['version 1', '4:memory:/palisade/kubepods/burstable/pod1/c1\n1:cpu:/palisade/kubepods/c1\n'],
    ['version 2', '0::/palisade/kubepods/burstable/pod1/c1\n'],
    ['a cgroup of somebody else above', '0::/docker/abc/palisade/kubepods/pod1/c1\n'],
  ])('knows a process of a pod by its cgroup (%s)', (_, cgroups) => {
    expect(isOfPod(cgroups, 'palisade')).toBe(true)
  })

  it.each([
    ['the node itself', '4:memory:/\n0::/user.slice\n'],
    ['a pod of a second cluster', '0::/palisade-1000/kubepods/pod1/c1\n'],
    ['one that ended while it was looked at', ''],
  ])('leaves %s alone', (_, cgroups) => {
    expect(isOfPod(cgroups, 'palisade')).toBe(false)
  })
})
