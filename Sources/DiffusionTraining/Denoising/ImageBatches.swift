import DiffusionImages
import Synchronization
import TensorCore

/// Prepared pictures of a data set as tensors: values from -1 to 1, channels last.
public struct ImageBatches: Sendable {
  /// The pictures.
  public let dataset: any Dataset
  /// How they are prepared.
  public let preparation: ImagePreparation

  /// The pictures of a data set, prepared.
  public init(_ dataset: any Dataset, preparation: ImagePreparation) {
    self.dataset = dataset
    self.preparation = preparation
  }

  /// Some pictures, `[count, height, width, channels]`, and their classes.
  ///
  /// - Parameter draws: where crops and flips come from; three numbers a picture, taken even where nothing varies.
  public func batch(
    of indices: [Int], draws: inout CounterGenerator
  ) throws(TrainingError) -> (images: Tensor, classes: [Int?]) {
    let chance = draws.uniformDoubles(3 * indices.count)
    let (height, width, channels) = (preparation.height, preparation.width, preparation.channels)
    let images = Tensor(
      uninitialized: [indices.count, height, width, channels], dtype: .float32)
    let size = height * width * channels
    let target = images.freshAddress.assumingMemoryBound(to: Float.self)
    let outcome = Mutex(Outcome(classes: Array(repeating: nil, count: indices.count)))
    Parallel.forEach(indices.count) { place in
      do throws(DataError) {
        let sample = try dataset.sample(at: indices[place])
        let prepared = preparation.apply(
          to: sample.image,
          draws: .init(
            cropX: chance[3 * place], cropY: chance[3 * place + 1], flip: chance[3 * place + 2]))
        Self.fill(target + place * size, with: prepared.samples)
        outcome.withLock { $0.classes[place] = sample.classIndex }
      } catch {
        outcome.withLock { $0.note(error, at: place) }
      }
    }
    let result = outcome.withLock { $0 }
    if let fault = result.fault { throw .data(fault) }
    return (images, result.classes)
  }

  private struct Outcome {
    var classes: [Int?]
    var fault: DataError?
    private var faultPlace = Int.max

    init(classes: [Int?]) { self.classes = classes }

    /// Keeps the fault of the first picture, whichever thread meets it.
    mutating func note(_ error: DataError, at place: Int) {
      if place < faultPlace { (fault, faultPlace) = (error, place) }
    }
  }

  private static func fill(_ target: UnsafeMutablePointer<Float>, with samples: [UInt8]) {
    for (index, sample) in samples.enumerated() {
      target[index] = Float(sample) / 127.5 - 1
    }
  }

  /// Tensors of values from -1 to 1, `[count, height, width, channels]`, as pictures; values beyond are cut off there.
  public static func images(of tensor: Tensor) -> [Image] {
    require(
      tensor.rank == 4 && (1...4).contains(tensor.shape[3]), "images",
      "expected [count, height, width, channels] with 1 to 4 channels, got \(tensor.shape)")
    let (height, width, channels) = (tensor.shape[1], tensor.shape[2], tensor.shape[3])
    let size = height * width * channels
    let values = tensor.floats
    return (0..<tensor.shape[0]).map { index in
      let samples = values[index * size..<(index + 1) * size].map { value in
        UInt8(max(0, min(255, ((value + 1) * 127.5).rounded())))
      }
      return Image(width: width, height: height, channels: channels, samples: samples)
    }
  }
}
