import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Authority } from '../authority.ts'
import { ConfigError } from '../config/config-error.ts'
import { certificateName, uriOf, type Part } from '../tls.ts'
import { parseWords, UsageError, type Streams } from './args.ts'
import { CONFIG_OPTIONS } from './config-of.ts'
import { placesOf } from './role.ts'

export const CERTIFICATES_HELP = `usage: zund certificates [renew] [--host NAME]... [--directory DIR] [--days N]

Makes the authority of a deployment and the certificates by which its parts know each other: that of the control plane, or
with --host those of hosts. What is there already is kept and told; 'renew' makes it anew, with a new key, but never the
authority. Running roles take a new certificate up by themselves. Needs the program openssl.

  DIR/ca.pem, ca.key                        the authority; its key is needed here only
  DIR/control-plane.pem, control-plane.key  for every machine with api or wsproxy
  DIR/hosts/NAME.pem, NAME.key              for the host NAME; it needs ca.pem besides

  --host NAME         name of a host, as [DEFAULT] host has it; may be given several times
  --directory DIR     default: [zund] tls_directory
  --days N            how long they are good for (default: 365; an authority is made for 3650)
  --config-file FILE  configuration, as of the roles
  --config-dir DIR    likewise`

const USUAL_DAYS = 365
const MOST_DAYS = 3650

export async function certificates(argv: readonly string[], { out }: Streams): Promise<number> {
  const { values, words } = parseWords('certificates', argv, {
    ...CONFIG_OPTIONS,
    host: { type: 'string', multiple: true },
    directory: { type: 'string' },
    days: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  })
  if (values.help === true) {
    out(CERTIFICATES_HELP)
    return 0
  }
  const [action, ...more] = words
  if (more.length > 0 || (action !== undefined && action !== 'renew')) {
    throw new UsageError(`zund certificates: '${more[0] ?? action}' is not expected`)
  }
  const days = daysOf(values.days)
  const directory = resolve(values.directory ?? placesOf(values).config.tlsDirectory)
  const authority = new Authority(directory)
  const isRenewal = action === 'renew'
  if (isRenewal && !authority.exists()) throw new ConfigError(`there is no authority in ${directory} to renew with`)
  if (!authority.exists()) {
    await authority.make(MOST_DAYS)
    out(`made  ${authority.certificate}`)
  }
  for (const part of partsOf(values.host)) {
    const file = resolve(directory, `${certificateName(part)}.pem`)
    const isThere = existsSync(file)
    if (isThere && !isRenewal) {
      out(`kept  ${file}`)
      continue
    }
    await authority.issue(certificateName(part), uriOf(part), days)
    out(`${isThere ? 'anew' : 'made'}  ${file}`)
  }
  return 0
}

function partsOf(hosts: readonly string[] | undefined): Part[] {
  if (hosts === undefined) return [{}]
  if (hosts.includes('')) throw new UsageError('zund certificates: --host needs a name')
  return hosts.map((host) => ({ host }))
}

function daysOf(text: string | undefined): number {
  const days = Number(text ?? USUAL_DAYS)
  if (Number.isInteger(days) && days >= 1 && days <= MOST_DAYS) return days
  throw new UsageError(`zund certificates: --days is '${text}', not a number of 1 to ${MOST_DAYS}`)
}
