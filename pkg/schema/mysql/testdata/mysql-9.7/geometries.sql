CREATE TABLE `geometries` (
  `a` point DEFAULT NULL,
  `b` linestring DEFAULT NULL,
  `c` polygon DEFAULT NULL,
  `d` multipoint DEFAULT NULL,
  `e` multilinestring DEFAULT NULL,
  `f` multipolygon DEFAULT NULL,
  `g` geomcollection DEFAULT NULL,
  `h` geometry DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci
