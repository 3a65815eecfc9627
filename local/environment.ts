/** Names of variables; a trailing star stands for any ending. Upper and lower case are one, as for proxies. */
type Names = readonly string[]

/** What every program may know: where things are and how the user reads. */
const EVERY: Names = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'XDG_*'],
  ...['LANG', 'LANGUAGE', 'LC_*', 'TZ', 'NO_COLOR'],
]

/** How this machine reaches the outside; addresses of proxies may hold a password. */
const NETWORK: Names = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'FTP_PROXY', 'NO_PROXY'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'CURL_CA_BUNDLE'],
]

/** Variables of the programs that download, each given to that program alone: some carry a token. */
const OF_TOOL = {
  apt: [...NETWORK, 'APT_CONFIG', 'DEBIAN_FRONTEND'],
  go: [
    ...[
      ...NETWORK,
      'GOROOT',
      'GOPATH',
      'GOMODCACHE',
      'GOCACHE',
      'GOTMPDIR',
      'GOENV',
      'GOTOOLCHAIN',
    ],
    ...[
      'GOPROXY',
      'GONOPROXY',
      'GOPRIVATE',
      'GOSUMDB',
      'GONOSUMDB',
      'GOINSECURE',
      'GOVCS',
      'GOAUTH',
    ],
    ...['GOFLAGS', 'GOMAXPROCS', 'GOMEMLIMIT', 'GOGC', 'NETRC', 'GIT_SSL_CAINFO'],
  ],
  npm: [...NETWORK, 'NPM_CONFIG_*', 'NPM_TOKEN', 'NODE_AUTH_TOKEN', 'NODE_EXTRA_CA_CERTS'],
  pip: [...NETWORK, 'PIP_*', 'NETRC', 'REQUESTS_CA_BUNDLE', 'VIRTUAL_ENV', 'PYENV_*'],
  docker: ['DOCKER_*', 'KIND_*'],
} as const satisfies Record<string, Names>

export type Tool = keyof typeof OF_TOOL

type Environment = Readonly<Record<string, string | undefined>>

/**
 * What a program is started with. A shell holds tokens of clouds, forges and registries, and a process
 * shows its environment to whoever may look at it for as long as it lives: only what is named here goes on.
 */
export function environment(
  tool?: Tool,
  more: Environment = {},
  caller: Environment = process.env,
): NodeJS.ProcessEnv {
  const names = tool === undefined ? EVERY : [...EVERY, ...OF_TOOL[tool]]
  const known = Object.entries(caller).filter(([name]) => names.some((one) => matches(name, one)))
  return { ...Object.fromEntries(known), ...more }
}

function matches(name: string, pattern: string): boolean {
  const plain = name.toUpperCase()
  return pattern.endsWith('*') ? plain.startsWith(pattern.slice(0, -1)) : plain === pattern
}
