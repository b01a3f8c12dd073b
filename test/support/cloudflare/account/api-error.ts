// What Cloudflare's API refuses with: the status, the code and the words that it uses itself, as far as they are known.

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const noSuchRoute = () =>
  new ApiError(404, 7003, "Could not route to the requested path, perhaps it is invalid.");
export const noSuchWorker = () => new ApiError(404, 10_007, "This Worker does not exist on your account.");
export const noSuchService = () => new ApiError(404, 10_090, "This Worker does not exist on your account.");
export const noSuchVersion = (id: string) => new ApiError(404, 10_057, `The version ${id} does not exist.`);
export const badRequest = (message: string) => new ApiError(400, 10_001, message);
export const doesNotStart = (message: string) => new ApiError(400, 10_021, message);

export const tooLarge = (bytes: number) =>
  new ApiError(
    413,
    10_027,
    `Your Worker exceeded the size limit of ${String(Math.round((bytes / 2 ** 20) * 100) / 100)} MiB. Refer to the Workers documentation (https://developers.cloudflare.com/workers/observability/errors/#errors-on-worker-upload) for more details.`,
  );

export const tooManyWorkers = (limit: number) =>
  new ApiError(
    403,
    10_037,
    `You have exceeded the limit of ${limit} Workers on your account. To create more, delete Workers you no longer use.`,
  );

export const targetMissing = (binding: string, target: string) =>
  new ApiError(
    400,
    10_143,
    `Could not resolve service binding '${binding}'. Target script '${target}' not found. Please verify the target script and try again.`,
  );

export const notInherited = (binding: string) =>
  new ApiError(
    400,
    10_057,
    `inherit binding '${binding}' is invalid: the binding does not exist on the previous version`,
  );

export const migrationInVersion = () =>
  new ApiError(
    400,
    10_211,
    "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied via a non-versioned deployment. Refer to the documentation for more information.",
  );

export const latestNotDeployed = () =>
  new ApiError(
    400,
    10_215,
    "Secret edit failed. You attempted to modify a secret, but the latest version of your Worker isn't currently deployed. Please ensure that the latest version of your Worker is fully deployed before modifying secrets.",
  );
