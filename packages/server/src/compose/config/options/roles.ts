/** Roles in processes of their own, on one machine or several: where each is, and where the others are. */
import { flag, list, option, optionalText, port, text } from '../kinds.ts'

const LINK_PORT = 9518

/** `https://host:port` of each. */
const endpoints = option(
  'list',
  (value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map(endpointOf),
  'host, host:port, [address]:port',
)

function endpointOf(written: string): string {
  const url = `https://${written}`
  const bad = new Error(`${written} is not a host with or without a port`)
  if (!URL.canParse(url) || /[/?#@\s]/.test(written)) throw bad
  const { hostname } = new URL(url)
  if (hostname === '') throw bad
  // The parser drops 443, the port of https.
  const [, given] = /:([0-9]+)$/.exec(written.replace(/^\[[^\]]*\]/, '')) ?? []
  return `https://${hostname}:${given ?? LINK_PORT}`
}

export type DatabasePlace =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'other'; readonly scheme: string }

/** As SQLAlchemy writes it; null: in the state directory. */
const connection = option<DatabasePlace | null>('string', (value) => {
  if (value === '') return null
  const [, scheme] = /^([a-z][a-z0-9]*)(?:\+[a-z0-9_]+)?:\/\//i.exec(value) ?? []
  if (scheme === undefined) throw new Error('it is not of the form sqlite:////path')
  if (scheme.toLowerCase() !== 'sqlite') return { kind: 'other', scheme }
  const [, file = ''] = /^sqlite(?:\+\w+)?:\/\/\/([^?]*)/i.exec(value) ?? []
  if (file === '' || file === ':memory:') throw new Error('it names no file')
  return { kind: 'sqlite', file }
})

export const ROLE_OPTIONS = {
  statePath: optionalText('DEFAULT', 'state_path', {
    fallback: '',
    help: 'Directory of what a role keeps, when --state-dir does not say; empty: as of up. up keeps to --state-dir.',
  }),
  databaseConnection: connection('database', 'connection', {
    fallback: '',
    help: 'sqlite:////path of a file on this machine; empty: zund.sqlite in the state directory.',
    secret: true,
  }),
  controlPlane: endpoints('zund', 'control_plane', {
    fallback: '',
    help: 'Where zund compute finds the api processes: host or host:port (9518), between commas, tried in turn.',
  }),
  linkHostIp: text('zund', 'link_host_ip', {
    fallback: '$my_ip',
    help: 'Address on which zund api listens for hosts.',
  }),
  linkPort: port('zund', 'link_port', {
    fallback: String(LINK_PORT),
    help: 'Port on which zund api listens for hosts.',
  }),
  hostListenIp: text('zund', 'host_listen_ip', {
    fallback: '$my_ip',
    help: 'Address on which zund compute listens for the control plane: terminals, logs, archives.',
  }),
  hostPort: port('zund', 'host_port', { fallback: '9519', help: 'Port on which zund compute listens.' }),
  hostAddress: optionalText('zund', 'host_address', {
    fallback: '$my_ip',
    help: 'Address under which the control plane reaches zund compute.',
  }),
  tlsDirectory: text('zund', 'tls_directory', {
    fallback: '/etc/zun/tls',
    help: "Certificates of the deployment's own authority, as zund certificates makes them.",
  }),
  conductorInApi: flag('zund', 'conductor_in_api', {
    fallback: 'true',
    help: "zund api does the conductor's work, too. False: zund conductor must run.",
  }),
  defaultLogLevels: list('DEFAULT', 'default_log_levels', {
    fallback: '',
    help: 'name=LEVEL between commas; of them zund=LEVEL counts, and it wins over debug.',
  }),
} as const
