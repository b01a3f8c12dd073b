// The job's own certificate authority. Its private key never leaves the deploying machine; hosts get its certificate, and certificates for
// the public halves of their keys.
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";

import * as z from "zod";

import { CliError } from "../../../terminal/cli-error.ts";
import { PRIVATE } from "../../local/state/secrets.ts";
import { readState, writeState } from "../../local/state/state.ts";

const Authority = z.object({
  /** PKCS #8, PEM. */
  privateKey: z.string(),
  /** Self-signed, PEM. */
  certificate: z.string(),
});
export type Authority = z.infer<typeof Authority>;

const DAY_MS = 24 * 3_600_000;
const CERTIFICATE_MS = 365 * DAY_MS;
const AUTHORITY_MS = 10 * CERTIFICATE_MS;
/** A host's clock may be behind. */
const BACK_DATED_MS = 60_000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * The job's authority, stored at `path` (mode 0600); made where it is missing. While its certificate could end before one that it issues
 * now, it gets another one for the same key, so that hosts with the former one still trust it. The caller holds the job's lock.
 */
export async function ensureAuthority(path: string, job: string, now = new Date()): Promise<Authority> {
  const stored = await readState(path, Authority);
  if (stored !== undefined && expiresAt(stored.certificate).getTime() > now.getTime() + CERTIFICATE_MS) return stored;
  const privateKey = stored?.privateKey ?? newPrivateKey();
  const authority = { privateKey, certificate: await selfSign(privateKey, job, now) };
  await writeState(path, authority, PRIVATE);
  return authority;
}

/** What a certificate is issued for. */
export interface CertificateRequest {
  /** The public half of a key of P-256: SPKI, PEM. */
  readonly publicKey: string;
  /** The DNS name of its holder. */
  readonly name: string;
}

/** A certificate, PEM, for a client and a server, valid for CERTIFICATE_MS. Throws CliError for another kind of key. */
export async function issueCertificate(
  authority: Authority,
  { publicKey, name }: CertificateRequest,
  now = new Date(),
): Promise<string> {
  const x509 = await library();
  const issuer = new x509.X509Certificate(authority.certificate);
  const spki = publicKeyBytes(publicKey, name);
  const { digitalSignature } = x509.KeyUsageFlags;
  const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
  const certificate = await x509.X509CertificateGenerator.create({
    issuer: issuer.subjectName,
    // RFC 5280: an empty subject stands in the alternative name, which is then critical.
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth, serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }], true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(spki),
    ],
    publicKey: spki,
    signingKey: await signingKey(authority.privateKey),
    signingAlgorithm: ALGORITHM,
    ...validity(now, CERTIFICATE_MS),
  });
  return pem(certificate);
}

/** When a certificate ends that is issued at this time. */
export function endOfCertificate(issuedAt: Date): Date {
  return new Date(issuedAt.getTime() + CERTIFICATE_MS);
}

/** When a certificate in PEM ends. */
function expiresAt(certificate: string): Date {
  return new Date(new X509Certificate(certificate).validTo);
}

async function selfSign(privateKey: string, job: string, now: Date): Promise<string> {
  const x509 = await library();
  const { keyCertSign } = x509.KeyUsageFlags;
  const publicKey = spkiOf(createPublicKey(privateKey));
  const name = `CN=${job}, O=Troupe`;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: name,
    issuer: name,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
    publicKey,
    signingKey: await signingKey(privateKey),
    signingAlgorithm: ALGORITHM,
    ...validity(now, AUTHORITY_MS),
  });
  return pem(certificate);
}

function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

async function signingKey(privateKey: string): Promise<CryptoKey> {
  const bytes = Buffer.from(privateKey.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64");
  return crypto.subtle.importKey("pkcs8", bytes, ALGORITHM, false, ["sign"]);
}

function publicKeyBytes(text: string, name: string): Uint8Array<ArrayBuffer> {
  let key;
  try {
    key = createPublicKey(text);
  } catch {
    throw badKey(name);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw badKey(name);
  return spkiOf(key);
}

function spkiOf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(key.export({ type: "spki", format: "der" }));
}

function badKey(name: string): CliError {
  return new CliError(
    "failed",
    `The host sent no key of P-256 for ${name}, so no certificate was issued.`,
    "Remove the job's folder of keys on the host and deploy again.",
  );
}

function validity(now: Date, lifeMs: number) {
  return { notBefore: new Date(now.getTime() - BACK_DATED_MS), notAfter: new Date(now.getTime() + lifeMs) };
}

function pem(certificate: { toString(format: "pem"): string }): string {
  return `${certificate.toString("pem")}\n`;
}

/** Loaded where a certificate is made, since the library is large; it needs the other one first. */
async function library() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
