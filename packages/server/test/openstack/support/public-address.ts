/** The proxy of deploy/example, which has the public address of the examples and a certificate that is trusted. */
import type { Machine } from './machine.ts'

const NAME = 'cloud.example'
const ADDRESS = '203.0.113.10'

/** `machine` has the proxy, and believes it. */
export async function openPublicAddress(machine: Machine): Promise<void> {
  await machine.addAddress(`${ADDRESS}/32`, 'lo')
  await machine.must(`
    cd /tmp
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=${NAME} \\
      -addext subjectAltName=DNS:${NAME} -keyout key.pem -out certificate.pem
    cat certificate.pem key.pem >/etc/haproxy/${NAME}.pem
    cat certificate.pem >>/etc/ssl/certs/ca-certificates.crt
    echo ${ADDRESS} ${NAME} >>/etc/hosts
    # As many connections as any machine has descriptors for.
    haproxy -D -n 1000 -f /opt/zund/deploy/example/haproxy.cfg
  `)
}
