import DiffusionModels
import Foundation
import TensorCheckpoints
import TensorCore
import TensorLayers

/// The small parts of a state, as the checkpoint's metadata holds them.
private struct StateRecord: Codable {
  var step: Int
  var cursor: DataCursor
  var draws: CounterGenerator
  var optimizerSteps: Int
  var averagedSteps: Int
}

extension TrainingState {
  /// What the metadata's `format` says.
  static var format: String { "swift-diffusion-engine training checkpoint 1" }

  /// Writes everything as one safetensors file, whole or not at all: the weights under their names, their average under
  /// `ema.`, the optimizer's state under `optimizer.<kind>.`, and the rest in the metadata.
  public func save(to path: String, description: RunDescription) throws(TrainingError) {
    let record = StateRecord(
      step: step, cursor: cursor, draws: draws, optimizerSteps: optimizer.stepCount,
      averagedSteps: averaging.updateCount)
    guard let json = try? JSONValue.encoder.encode(record) else {
      throw .unwritable(path: path, reason: "the state cannot be written as JSON")
    }
    var writer = CheckpointWriter(metadata: [
      "format": Self.format, "kind": description.kind, "step": "\(step)",
      PixelModel.configurationKey: description.configuration,
      "state": String(decoding: json, as: UTF8.self),
    ])
    writer.add(network)
    writer.add(averaging.average, prefix: PixelModel.averagePrefix)
    for (name, slot) in zip(Self.slotPrefixes(of: optimizer), optimizer.slots) {
      var values = slot[...]
      let holder = network.mapParameters { tensor, parameter in
        parameter.isTrainable ? values.removeFirst() : tensor
      }
      writer.add(holder, prefix: name, trainableOnly: true)
    }
    try Self.write(writer, to: path)
  }

  /// Writes the averaged weights alone, under their names, with the configuration: the model as it is used.
  public func exportModel(
    to path: String, description: RunDescription, as dtype: DType = .float16
  ) throws(TrainingError) {
    var writer = CheckpointWriter(metadata: [
      "format": "swift-diffusion-engine model 1", "kind": description.kind, "step": "\(step)",
      PixelModel.configurationKey: description.configuration,
    ])
    writer.add(averaging.average, as: dtype)
    try Self.write(writer, to: path)
  }

  /// Goes on from a checkpoint. `self` is the start of the run that is to go on: its network says what tensors there
  /// are to be, its optimizer and cursor what run it has to have been.
  public mutating func restore(from path: String) throws(TrainingError) {
    do throws(CheckpointError) {
      let file = try SafetensorsFile(path: path)
      guard file.metadata["format"] == Self.format, let json = file.metadata["state"] else {
        throw CheckpointError.malformed(path: path, reason: "it is no training checkpoint")
      }
      try restore(from: file, json: json)
    } catch {
      throw .checkpoint(error)
    }
  }

  private mutating func restore(
    from file: SafetensorsFile, json: String
  ) throws(CheckpointError) {
    guard
      let tree = try? JSONValue(parsing: Data(json.utf8)),
      let record = try? StrictDecoder.decode(StateRecord.self, from: tree)
    else { throw .malformed(path: file.path, reason: "its state is not one of this version") }
    guard record.cursor.exampleCount == cursor.exampleCount, record.cursor.seed == cursor.seed
    else {
      throw .malformed(
        path: file.path,
        reason: "it was trained on \(record.cursor.exampleCount) examples with seed "
          + "\(record.cursor.seed), the configuration gives \(cursor.exampleCount) with seed "
          + "\(cursor.seed)")
    }
    let slots = Self.slotPrefixes(of: optimizer)
    let prefixes = ["", PixelModel.averagePrefix] + (record.optimizerSteps > 0 ? slots : [])
    let expected = prefixes.enumerated().flatMap { index, prefix in
      self.network.fileShapes(prefix: prefix, trainableOnly: index >= 2)
    }
    let report = file.report(expected: expected)
    guard report.isClean else { throw .mismatch(path: file.path, report: report) }
    var (network, average) = (self.network, averaging.average)
    try network.fill(from: file, prefix: "")
    try average.fill(from: file, prefix: PixelModel.averagePrefix)
    var moments: [[Tensor]] = []
    for prefix in prefixes.dropFirst(2) {
      var holder = network
      try holder.fill(from: file, prefix: prefix, trainableOnly: true)
      moments.append(
        zip(holder.parameterList(), holder.parameters()).filter(\.0.isTrainable).map(\.1.tensor))
    }
    self.network = network
    averaging.average = average
    averaging.updateCount = record.averagedSteps
    optimizer.slots = moments
    optimizer.stepCount = record.optimizerSteps
    (step, cursor, draws) = (record.step, record.cursor, record.draws)
  }

  private static func slotPrefixes(of optimizer: any Optimizer) -> [String] {
    type(of: optimizer).slotNames.map { "optimizer.\($0)." }
  }

  private static func write(_ writer: CheckpointWriter, to path: String) throws(TrainingError) {
    do {
      try writer.write(to: path)
    } catch {
      throw .checkpoint(error)
    }
  }
}
