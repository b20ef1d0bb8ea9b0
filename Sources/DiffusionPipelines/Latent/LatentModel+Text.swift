import DiffusionModels
import TensorCore
import TextTokenizer

extension LatentModel {
  /// What each picture of a request is to show and what all are not to, of equally many tokens.
  ///
  /// - Parameter size: height and width of the pictures.
  func conditions(
    of request: TextRequest, size: (Int, Int)
  ) -> (positive: [TextCondition], negative: TextCondition) {
    let negative = WeightedPrompt(parsing: request.negative)
    let prompts = [request.prompt, request.ending?.prompt].compactMap(\.self)
      .map(WeightedPrompt.init(parsing:))
    let chunks = (prompts + [negative]).map(chunkCount).max() ?? 1
    func condition(_ prompt: WeightedPrompt) -> TextCondition {
      self.condition(prompt, chunks: chunks, skipping: request.skippedLayers, size: size)
    }
    let ends = prompts.map(condition)
    let positive = (0..<request.pictures.count).map { index in
      ends.count == 1
        ? ends[0] : ends[0].interpolated(to: ends[1], share: request.progress(of: index))
    }
    var away = condition(negative)
    away.sizes = sizes(of: size, score: 2.5)
    if zeroesEmptyNegative && request.negative.isEmpty {
      away.states = Tensor.zeros(away.states.shape, dtype: away.states.dtype)
      away.vector = away.vector.map { Tensor.zeros($0.shape, dtype: $0.dtype) }
    }
    return (positive, away)
  }

  /// What a prompt asks for.
  ///
  /// The prompt is cut into chunks of 75 tokens, which are encoded by themselves and stand one behind the other. Weights
  /// multiply the states of their tokens, whose mean is then brought back to what it was, as AUTOMATIC1111's web UI does.
  ///
  /// - Parameters:
  ///   - prompt: the text, with weights.
  ///   - chunks: how many chunks there are to be at least, empty ones at the end.
  ///   - skipping: how many of an encoder's last layers are left out; `nil` for what the model was trained with: none, or
  ///     one for SDXL.
  ///   - size: height and width of the picture.
  func condition(
    _ prompt: WeightedPrompt, chunks: Int = 1, skipping: Int?, size: (Int, Int)
  ) -> TextCondition {
    var parts: [Tensor] = []
    var vector: Tensor?
    for part in texts {
      let cut = Self.cut(prompt, by: part, atLeast: chunks)
      let outputs = cut.map { part.encoder([$0.ids]) }
      let states = zip(cut, outputs).map { chunk, output in
        let plain = part.encoder.states(
          output, skipping: skipping ?? (takesSizes ? 1 : 0), normed: !takesSizes)
        return Self.weighted(plain, chunk.weights)
      }
      parts.append(Tensor.concatenated(states, axis: 1))
      vector = outputs[0].projected ?? vector
    }
    return TextCondition(
      states: parts.count == 1 ? parts[0] : Tensor.concatenated(parts, axis: 2),
      vector: takesSizes ? vector : nil,
      sizes: sizes(of: size, score: 6))
  }

  /// What the network is told of a picture's size: its height and width before it was cut in training, where it was cut, and
  /// its height and width (Podell et al. 2023, section 2.2); the refiner, which takes a number less, an aesthetic score in place
  /// of the last two.
  private func sizes(of size: (Int, Int), score: Double) -> [Double]? {
    guard takesSizes else { return nil }
    let (height, width) = (Double(size.0), Double(size.1))
    let configuration = unet.configuration
    let vector = texts.last?.encoder.configuration.projectionWidth ?? 0
    let numbers =
      ((configuration.projectionInputs ?? 0) - vector) / (configuration.additionalTimeWidth ?? 1)
    return [height, width, 0, 0] + (numbers == 5 ? [score] : [height, width])
  }

  /// How many chunks a prompt takes.
  func chunkCount(_ prompt: WeightedPrompt) -> Int {
    texts.map { Self.cut(prompt, by: $0, atLeast: 1).count }.max() ?? 1
  }

  private static func cut(
    _ prompt: WeightedPrompt, by part: TextPart, atLeast count: Int
  ) -> [PromptChunk] {
    let length = part.encoder.configuration.mostTokens
    var chunks = part.tokenizer.chunks(of: prompt, length: length)
    let empty = part.tokenizer.chunks(of: WeightedPrompt(plain: ""), length: length)
    while chunks.count < count { chunks += empty }
    return chunks
  }

  private static func weighted(_ states: Tensor, _ weights: [Double]) -> Tensor {
    if weights.allSatisfy({ $0 == 1 }) { return states }
    let factors = Tensor(weights, shape: [1, weights.count, 1]).converted(to: states.dtype)
    let scaled = states * factors
    let (before, after) = (states.mean().doubles[0], scaled.mean().doubles[0])
    return after == 0 ? scaled : scaled * (before / after)
  }
}
