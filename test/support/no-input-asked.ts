// What a peer's front door answers when it is told something that its task does not ask for.
export function noInputAsked(): Response {
  const error = {
    code: 400,
    status: "FAILED_PRECONDITION",
    message: "Task t is working and asks for no input: wait for it, or cancel it.",
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: "UNSUPPORTED_OPERATION",
        domain: "a2a-protocol.org",
      },
    ],
  };
  return Response.json({ error }, { status: 400 });
}
