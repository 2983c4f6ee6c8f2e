import { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { account } from '../openstack/support/accounts.ts'
import { quietLog } from './quiet-log.ts'

/** Logged in as the service under test. To be closed. */
export function cloudSession(): OpenStackSession {
  const { authUrl, username, password, project } = account('zun')
  const domain = { id: 'default', name: null }
  return new OpenStackSession({
    authUrl,
    credentials: {
      kind: 'password',
      userId: null,
      userName: username,
      userDomain: domain,
      password,
      scope: { kind: 'project', id: null, name: project, domain },
    },
    tls: { insecure: false },
    services: {},
    timeoutMs: 60_000,
    clock: systemClock,
    log: quietLog,
  })
}
