/** Parts of configuration that several services have. */
import { startDaemon, answers } from '../daemons.ts'
import { writeIni, type Groups } from '../ini.ts'
import { passwordOf, REGION, URLS, type Places } from '../places.ts'

export function authentication(user: string): Groups[string] {
  return {
    www_authenticate_uri: URLS.identity,
    auth_url: URLS.identity,
    auth_type: 'password',
    project_domain_name: 'Default',
    user_domain_name: 'Default',
    project_name: 'service',
    username: user,
    password: passwordOf(user),
    interface: 'internal',
    region_name: REGION,
  }
}

/** Everything runs as root here, and needs no sudo to become it. */
export const PRIVILEGES = { helper_command: 'privsep-helper' } as const

/** A service that is a WSGI application, served by uwsgi. */
export async function startWsgi(
  places: Places,
  service: { name: string; url: string; program: string; env: Readonly<Record<string, string>>; threads: number },
): Promise<void> {
  const file = writeIni(places.etc('uwsgi.ini'), {
    uwsgi: {
      plugins: 'python3',
      master: true,
      processes: 1,
      'enable-threads': true,
      'lazy-apps': true,
      'die-on-term': true,
      'buffer-size': 65_535,
      // uwsgi closes what clients would keep open; said so, they do not try.
      'add-header': 'Connection: close',
      'http-auto-chunked': true,
      'http-chunked-input': true,
      'wsgi-manage-chunked-input': true,
    },
  })
  const { port } = new URL(service.url)
  const started = startDaemon(places, {
    name: service.name,
    argv: [
      'uwsgi',
      '--ini',
      file,
      '--http-socket',
      `0.0.0.0:${port}`,
      '--threads',
      String(service.threads),
      '--wsgi-file',
      service.program,
    ],
    env: service.env,
  })
  await started.ready(async () => answers(service.url))
}
