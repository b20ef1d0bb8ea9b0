import DiffusionModels
import DiffusionTraining
import Foundation
import TensorCore

/// Pictures to measure, as training reads them, in a model's size and channels.
struct LikelihoodData {
  private let batches: ImageBatches
  private let hasClasses: Bool

  /// Opens what is at a path: IDX files, a manifest, or a folder of PNG files.
  init(path: String, for model: PixelModel, notes: inout [String]) throws {
    let dataset = try Self.dataset(at: path)
    let shape = model.shape(count: 1)
    batches = ImageBatches(
      dataset,
      preparation: ImagePreparation(width: shape[2], height: shape[1], channels: shape[3]))
    let (classes, known) = (dataset.classNames.count, model.classCount)
    hasClasses = classes > 0 && classes <= known
    if known > 0 && !hasClasses {
      notes.append(
        classes == 0
          ? "the data has no classes: the model is asked without"
          : "the data has \(classes) classes, the model knows \(known): it is asked without")
    }
    let first = try dataset.sample(at: 0).image
    if first.width != shape[2] || first.height != shape[1] {
      notes.append(
        "pictures of \(first.width)x\(first.height) are resized to the model's "
          + "\(shape[2])x\(shape[1]), which changes their likelihood")
    }
  }

  /// How many there are.
  var count: Int { batches.dataset.count }

  /// What a picture is called.
  func identifier(at index: Int) -> String { batches.dataset.identifier(at: index) }

  /// Some pictures, `[count, height, width, channels]`, and their classes.
  func batch(_ range: Range<Int>) throws -> (images: Tensor, classes: [Int?]) {
    var draws = CounterGenerator(seed: 0)
    let (images, classes) = try batches.batch(of: Array(range), draws: &draws)
    return (images, hasClasses ? classes : classes.map { _ in nil })
  }

  private static func dataset(at path: String) throws(DataError) -> any Dataset {
    var configuration = DataConfiguration()
    configuration.path = path
    let files = FileManager.default
    if path.hasSuffix(".tsv") || path.hasSuffix(".csv") {
      configuration.kind = .manifest
      if try Manifest(reading: path).columns.contains("class") {
        configuration.classColumn = "class"
      }
      return try configuration.dataset()
    }
    if let range = path.range(of: "images-idx3") {
      let labels = path.replacingCharacters(in: range, with: "labels-idx1")
      return try IDXDataset(images: path, labels: files.fileExists(atPath: labels) ? labels : nil)
    }
    for part in ["t10k", "train"] {
      let name = "\(path)/\(part)-images-idx3-ubyte"
      guard files.fileExists(atPath: name) || files.fileExists(atPath: name + ".gz") else {
        continue
      }
      configuration.part = part
      return try configuration.dataset()
    }
    for name in ["manifest.tsv", "manifest.csv"] where files.fileExists(atPath: "\(path)/\(name)") {
      return try dataset(at: "\(path)/\(name)")
    }
    configuration.kind = .folder
    return try configuration.dataset()
  }
}
