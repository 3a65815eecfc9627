const CONFIG = '/etc/palisade/edge/nginx.conf'
const NGINX = `nginx -e stderr -c ${CONFIG}`

/**
 * nginx reads a certificate when it starts and when it is told to. So a watch beside it compares the mounted
 * file, which follows its Secret, and asks for a reload; connections that are open go on with the old one.
 * A certificate that nginx refuses is left alone and tried again.
 */
const START_SCRIPT = [
  'set -u',
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

export const START = ['sh', '-c', START_SCRIPT]
/** Requests that are under way are answered before the process ends. */
export const STOP = [...NGINX.split(' '), '-s', 'quit']
