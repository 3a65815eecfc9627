import { aptGet } from '../bare/apt.ts'
import { LocalError } from '../errors.ts'

interface Target {
  readonly repository: string
  readonly release: string
}

/**
 * The sources for another release from the same mirrors that this machine already trusts, so that
 * no mirror has to be named here and a machine behind a proxy of its own keeps using it.
 */
export const sourcesFor = (suite: string, targets: readonly Target[]): string => {
  const main = targets.find(({ release }) => !release.includes('-'))
  const security = targets.find(({ release }) => release.endsWith('-security'))
  if (!main) {
    throw new LocalError(
      'ERR_APT_SOURCES',
      'apt on this machine names no Debian release to take packages from',
      'run apt-get update, check /etc/apt/sources.list.d, and try again',
    )
  }
  return [
    `deb ${main.repository} ${suite} main`,
    `deb ${main.repository} ${suite}-updates main`,
    ...(security ? [`deb ${security.repository} ${suite}-security main`] : []),
    '',
  ].join('\n')
}

export const aptSources = async (suite: string): Promise<string> => {
  const listing = await aptGet([
    'indextargets',
    '--format',
    '$(ORIGIN)\t$(COMPONENT)\t$(RELEASE)\t$(REPO_URI)',
    'Created-By: Packages',
  ])
  const targets = listing.split('\n').flatMap((line) => {
    const [origin, component, release, repository] = line.split('\t')
    return origin?.startsWith('Debian') && component === 'main' && release && repository
      ? [{ release, repository }]
      : []
  })
  return sourcesFor(suite, targets)
}
