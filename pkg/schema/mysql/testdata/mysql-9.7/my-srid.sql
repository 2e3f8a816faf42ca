CREATE TABLE `my srid` (
  `g` point NOT NULL /*!80003 SRID 4326 */,
  `h` geometry /*!80003 SRID 0 */ DEFAULT NULL COMMENT 'x',
  SPATIAL KEY `g` (`g`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
