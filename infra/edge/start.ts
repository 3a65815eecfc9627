const CONFIG = '/etc/palisade/edge/nginx.conf'
const NGINX = `nginx -e stderr -c ${CONFIG}`

/** Longer than a name server may remember that the gateway's name did not exist. */
const NAME_SECONDS = 60

/**
 * nginx ends at once when it cannot resolve its upstream, and the kubelet's back-off then costs more than the name
 * needs to appear. Whatever else is wrong is left for nginx itself to say.
 */
const WAIT_FOR_NAME = [
  'waited=0',
  `while [ "$waited" -lt ${NAME_SECONDS} ]; do`,
  `  case "$(${NGINX} -t 2>&1)" in`,
  '    *"host not found in"*) ;;',
  '    *) break ;;',
  '  esac',
  '  [ "$waited" -gt 0 ] || echo "waiting for the name of the gateway" >&2',
  '  waited=$((waited + 1))',
  '  sleep 1',
  'done',
]

/**
 * nginx reads a certificate when it starts and when it is told to. So a watch beside it compares the mounted
 * file, which follows its Secret, and asks for a reload; connections that are open go on with the old one.
 * A certificate that nginx refuses is left alone and tried again.
 */
const START_SCRIPT = [
  'set -u',
  ...WAIT_FOR_NAME,
  'seen=$(cksum < /etc/palisade/tls/tls.crt)',
  'watch() {',
  '  while sleep 15; do',
  '    now=$(cksum < /etc/palisade/tls/tls.crt)',
  `    if [ "$now" != "$seen" ] && ${NGINX} -t -q; then`,
  `      ${NGINX} -s reload && seen=$now && echo "certificate renewed: reloaded" >&2`,
  '    fi',
  '  done',
  '}',
  'watch &',
  `exec ${NGINX} -g "daemon off;"`,
].join('\n')

/** How long it may take to listen: the wait, and a slow machine. */
export const START_SECONDS = NAME_SECONDS + 30
export const START = ['sh', '-c', START_SCRIPT]
/** Requests that are under way are answered before the process ends. */
export const STOP = [...NGINX.split(' '), '-s', 'quit']
