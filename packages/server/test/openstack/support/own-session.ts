/** The login of the service under test, as [keystone_auth] has it. */
import { OpenStackSession } from '../../../src/adapters/openstack/session.ts'
import { systemClock } from '../../../src/lib/system-clock.ts'
import { quietLog } from '../../support/quiet-log.ts'
import { account } from './accounts.ts'

export function ownSession(): OpenStackSession {
  const zun = account('zun')
  return new OpenStackSession({
    authUrl: zun.authUrl,
    credentials: {
      kind: 'password',
      userId: null,
      userName: zun.username,
      userDomain: { id: 'default', name: null },
      password: zun.password,
      scope: { kind: 'project', id: null, name: zun.project, domain: { id: 'default', name: null } },
    },
    tls: { current: { insecure: false } },
    services: {},
    timeoutMs: 60_000,
    clock: systemClock,
    log: quietLog,
  })
}
