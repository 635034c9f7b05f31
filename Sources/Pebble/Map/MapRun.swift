// SPDX-License-Identifier: Apache-2.0

/// One iteration of a map, whatever its pool is.
protocol MapIteration<Value>: AnyObject {
  associatedtype Value: Sendable

  /// The outcomes of the next elements, one at least; none at the end.
  func next(isolation: isolated (any Actor)?) async -> [Result<Value, any Error>]

  /// Gives up what was not handed out.
  func cancel()
}

/// One iteration of a map: takes inputs, keeps a window of chunks in the pool, hands out results.
final class MapRun<Input, Value: Sendable>: MapIteration {
  private let window: MapWindow<Input, Value>
  private let nextInputs: ((Int) -> [Input])?

  /// - Parameter nextInputs: takes so many inputs, fewer at their end; nil when something else feeds the window.
  init(_ window: MapWindow<Input, Value>, nextInputs: ((Int) -> [Input])? = nil) {
    self.window = window
    self.nextInputs = nextInputs
  }

  deinit {
    window.cancel()
  }

  func cancel() { window.cancel() }

  func next(isolation: isolated (any Actor)?) async -> [Result<Value, any Error>] {
    if Task.isCancelled { window.cancel() }
    fillWindow()
    guard let chunk = await window.take(isolation: isolation) else { return [] }
    let results = await chunk.results(isolation: isolation)
    window.finish(chunk)
    return results
  }

  private func fillWindow() {
    guard let nextInputs else { return }
    if window.plan.inputsAreThere {
      window.plan.pool.batch { fillWindow(nextInputs) }
    } else {
      fillWindow(nextInputs)
    }
  }

  private func fillWindow(_ nextInputs: (Int) -> [Input]) {
    while let size = window.nextSize {
      let elements = nextInputs(size)
      let isEnd = elements.count < size
      if !elements.isEmpty { window.add(MapChunk(elements, window.plan)) }
      if isEnd { window.end() }
    }
  }
}

extension MapWindow {
  /// Takes all of the inputs. An error that they throw becomes the last element's.
  func take<Inputs: AsyncSequence & Sendable>(
    _ inputs: Inputs, _ prepare: @Sendable (Inputs.Element) -> Input
  ) async {
    var elements: [Input] = []
    var failure: (any Error)?
    do {
      var iterator = inputs.makeAsyncIterator()
      while let size = await waitForRoom() {
        while elements.count < size, let input = try await iterator.next() { elements.append(prepare(input)) }
        if elements.count < size { break }
        add(MapChunk(elements, plan))
        elements = []
      }
    } catch {
      if !Task.isCancelled { failure = error }  // else it is of the map's own making
    }
    if !elements.isEmpty { add(MapChunk(elements, plan)) }
    if let failure { add(MapChunk(failure, plan)) }
  }
}
