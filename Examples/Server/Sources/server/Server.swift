// SPDX-License-Identifier: Apache-2.0
import Glibc
import Hummingbird
import Logging
import Pebble

/// A server that takes orders as JSON documents. Its parser trusts its input: nested too deep, a number too large, a
/// text on which a regular expression runs for minutes, and the process that it runs in is gone. Here that is a worker.
@main
struct Server {
  static func main() async throws {
    // More workers than processors, so that documents which take their full time do not hold up the others.
    let pool = try ProcessPool(
      .init(
        maxWorkers: 8, name: "orders", standardError: .discard, limits: WorkerLimits(addressSpace: 4 << 30, noNewPrivileges: true),
        maxQueued: 256))

    let router = Router()
    router.post("orders") { request, _ in
      let body = try await request.body.collect(upTo: 1 << 20)
      return try await accept(Array(body.readableBytesView), pool)
    }
    router.get("statistics") { _, _ in
      let outcomes = pool.statistics.outcomes
      return "\(outcomes.succeeded) accepted, \(outcomes.failed) invalid, \(outcomes.timedOut) over the time, \(outcomes.expired) crashed\n"
    }

    var logger = Logger(label: "server")
    logger.logLevel = .warning
    var server = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in
        print("listening on port \(channel.localAddress?.port ?? 0)")
        fflush(nil)
      },
      logger: logger)
    // Ends after the server, when no request is left that could want it.
    server.addServices(PoolService(pool, drain: .seconds(20)))
    try await server.runService()
  }
}

/// What is answered to a document.
func accept(_ document: [UInt8], _ pool: ProcessPool) async throws -> Response {
  do {
    let job = try pool.schedule(summaryFunction, document, timeout: .seconds(2), deadline: .seconds(10))
    let summary = try await job.value
    return Response(.ok, "\(summary.lines) lines, checksum \(summary.checksum)")
  } catch let error as InvalidDocument {
    return Response(.badRequest, error.reason)
  } catch let error as TimeoutError {
    return Response(error.limit == .timeout ? .unprocessableContent : .serviceUnavailable, "\(error)")
  } catch let error as ProcessExpired {
    return Response(.unprocessableContent, error.reason ?? "cannot be parsed")
  } catch let error as PebbleError where error.code == .full {
    return Response(.tooManyRequests, "try again later")
  }
}

private let summaryFunction = ProcessFunction(summary, name: "summary") { ProcessCall($0).run(summary) }

extension Response {
  init(_ status: HTTPResponse.Status, _ text: String) {
    self.init(status: status, body: .init(byteBuffer: ByteBuffer(string: text + "\n")))
  }
}
