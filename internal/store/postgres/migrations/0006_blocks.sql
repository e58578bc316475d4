-- Ids of deliveries are made of their event's since here (bellwire.DeliveryOf). Nothing changes in this schema for it.
SELECT 1;
