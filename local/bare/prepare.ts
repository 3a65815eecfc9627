import { join } from 'node:path'
import { cgroupScript } from './cgroups.ts'
import { type Layout, NODE } from './layout.ts'

type Command = readonly string[]

/** Makes the mounts, addresses and rules of the node, in namespaces that end with it. */
export const prepareCommands = (layout: Layout, packages: string): Command[] => [
  ...mounts(layout, packages),
  ['sh', '-c', cgroupScript()],
  ...network(),
  ...policyQueue(),
]

function mounts(layout: Layout, packages: string): Command[] {
  const data = (folder: string): string => join(layout.data, folder)
  return [
    // Debian's runtime appears in /usr here and nowhere else on the machine.
    ['mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${join(packages, 'usr')}:/usr`, '/usr'],
    ['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run'],
    // The state folder stays reachable even where it lies beneath /var.
    ['mkdir', '-p', '/run/palisade'],
    ['mount', '--bind', layout.state, '/run/palisade'],
    [
      ...['mount', '-t', 'overlay', 'overlay', '-o'],
      `lowerdir=/var,upperdir=${data('var')},workdir=${data('var-work')}`,
      '/var',
    ],
    ...(layout.state.startsWith('/var/')
      ? [['mount', '--bind', '/run/palisade', layout.state]]
      : []),
    // An overlay cannot hold the layers of another one, nor should volumes pass through it.
    ...['containerd', 'kubelet'].flatMap((name) => [
      ['mkdir', '-p', `/var/lib/${name}`],
      ['mount', '--bind', join('/run/palisade/node/data', name), `/var/lib/${name}`],
    ]),
    ['mkdir', '-p', '/var/log/pods', '/var/log/containers'],
    ['mount', '--make-rshared', '/'],
    ['hostname', NODE.name],
  ]
}

function network(): Command[] {
  return [
    ['ip', 'link', 'set', 'lo', 'up'],
    // A bridge without ports carries the node's address: the dummy driver is not everywhere.
    ['ip', 'link', 'add', 'node0', 'type', 'bridge'],
    ['ip', 'address', 'add', `${NODE.address}/32`, 'dev', 'node0'],
    ['ip', 'link', 'set', 'node0', 'up'],
    // A packet to a service needs a route before it is rewritten. There is no default route.
    ['ip', 'route', 'add', NODE.serviceCidr, 'dev', 'node0', 'src', NODE.address],
    ['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'],
    ['sh', '-c', 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables'],
  ]
}

/**
 * kube-network-policies decides on the first packet of each connection from or to a pod. Its own
 * nftables rules need an expression that not every kernel has; these say the same. No
 * `--queue-bypass`: while nobody decides, nothing passes.
 */
function policyQueue(): Command[] {
  const post = ['iptables', '-t', 'mangle', '-A', 'POSTROUTING']
  const input = ['iptables', '-t', 'mangle', '-A', 'INPUT']
  const queue = ['-j', 'NFQUEUE', '--queue-num', String(NODE.queue)]
  return [
    ['ipset', 'create', 'palisade-pods', 'hash:net'],
    ['ipset', 'add', 'palisade-pods', NODE.podCidr],
    [...post, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'RETURN'],
    // The node itself: kubelet's probes and the API server's webhooks are never subject to policy.
    [...post, '-m', 'owner', '--uid-owner', '0', '-j', 'RETURN'],
    [...post, '-m', 'set', '--match-set', 'palisade-pods', 'src', ...queue],
    [...post, '-m', 'set', '--match-set', 'palisade-pods', 'dst', ...queue],
    // What is meant for the node itself is never routed: without these, each pod may ask the API server.
    [...input, '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'RETURN'],
    [...input, '-m', 'set', '--match-set', 'palisade-pods', 'src', ...queue],
  ]
}
